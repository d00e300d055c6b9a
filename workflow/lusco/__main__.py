"""`python -m lusco` is `lusco`."""

from lusco.cli import main

main()
