"""Ask the AI API of this container whether it answers; the exit code is the answer.

Plain HTTP first, then HTTPS: a workspace with ``tls_cert`` speaks only that. The certificate is not
checked, since it names the world outside and this asks loopback.
"""

import http.client
import os
import ssl
import sys

HOST = "127.0.0.1"
TIMEOUT_S = 2.0


def status(connection: http.client.HTTPConnection) -> int:
    """Return the status of ``/healthz``, 0 if there is no answer in this protocol."""
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def main() -> int:
    """Return 0 if the gateway answers."""
    port = int(os.environ.get("STEADYHAND_SERVER__PORT", "8080"))
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    answered = status(http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)) or status(
        http.client.HTTPSConnection(HOST, port, timeout=TIMEOUT_S, context=unchecked)
    )
    return 0 if answered == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
