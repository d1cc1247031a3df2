"""`python -m labs`: the command, where `labs` itself is not on the path."""

from labs.kit.command.cli import main

if __name__ == "__main__":
    main()
