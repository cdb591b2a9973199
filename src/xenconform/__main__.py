"""`python -m xenconform` is the command `xenconform`."""

from xenconform.conformance.cli import main

if __name__ == "__main__":
    main()
