"""The toolkit under the labs. It knows no lab by name and imports none.

The modules of this folder run in a learner's kernel; `author` holds what builds and proves the labs,
`command` what the `labs` command line does.
"""
