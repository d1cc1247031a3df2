"""How Sphinx renders the site; `make site` writes the pages and calls it."""

import os

project = "TensorFlow Labs"
copyright = "The TensorFlow Labs authors, Apache-2.0"
extensions = ["myst_nb"]
exclude_patterns = ["_build"]
html_theme = "sphinx_book_theme"
html_title = "TensorFlow Labs"
html_show_sourcelink = False
html_static_path = ["static"]
html_js_files = ["names.js"]
html_copy_source = True  # what the button "download" hands out

# The notebooks' outputs were made and compared by the build and CI; here they are only shown.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
# A cell whose error is the point of the lesson keeps its traceback's colours in the notebook only.
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]

repository = os.environ.get("LABS_REPOSITORY", "")
html_theme_options = {
    "show_navbar_depth": 2,
    "navbar_persistent": [],  # the sidebar has the search
    "home_page_in_toc": True,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "use_repository_button": bool(repository),
    "use_issues_button": False,
    "use_source_button": False,
    "repository_url": repository or None,
    "repository_branch": os.environ.get("LABS_BRANCH", "main"),
    "path_to_docs": "notebooks/learn",
    "launch_buttons": {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
    }
    if repository
    else {},
}
