"""`python -m harness` is `bench`."""

from harness.cli.main import program

if __name__ == "__main__":
    program()
