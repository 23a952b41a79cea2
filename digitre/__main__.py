"""`python -m digitre` is the command line."""

from digitre.cli import main

main(prog_name="digitre")
