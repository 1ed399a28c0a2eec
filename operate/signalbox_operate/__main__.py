"""Run the command line: `python -m signalbox_operate`."""

from signalbox_operate.cli import app

if __name__ == "__main__":
    app(prog_name="signalbox")
