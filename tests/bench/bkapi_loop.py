"""Sends the requests of its standard input through bkapi-client-core, one after another; prints the seconds.

Runs in an environment of its own (peer_tools.py), so what it imports is not here, and nothing of ours there.
"""

from __future__ import annotations

import json
import sys
import time

from bkapi_client_core.apigateway import (  # type: ignore[import-not-found] # see above
    APIGatewayClient,
    Operation,
)


def main() -> None:
    client = APIGatewayClient(stage="", endpoint="http://none.invalid")
    requests = json.load(sys.stdin)
    began = time.perf_counter()
    for method, url, headers, body in requests:
        scheme, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        client._endpoint = f"{scheme}://{host}"
        operation = Operation(name="replayed", manager=client, method=method, path=path)
        operation.request(data=body, headers=headers, timeout=10).json()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
