"""``python -m local``: check, then run the local AWS in the foreground until it is told to stop."""

import logging
import sys

from local import environment, options, preflight


def main() -> int:
    """The process's exit code: 0 after a clean stop, 2 where it refused to start."""
    asked = options.parse()
    try:
        preflight.require_ministack()
        preflight.require_interpreters(asked)
        lock = preflight.claim(asked.data_dir, asked.port)
        preflight.require_free_port(asked.port)
        environment.prepare(asked)
        # Another program follows the log through a file or a pipe: lines come out as they are printed.
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        logging.basicConfig(
            stream=sys.stdout, level=asked.log_level, format="%(asctime)s %(levelname)s [%(name)s] %(message)s"
        )
        # Only now: importing the server imports ministack, which reads the environment.
        from local import server

        with lock:
            server.run(asked)
    except preflight.Refusal as refusal:
        print(f"local AWS: {refusal}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
