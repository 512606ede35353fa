"""A container as Flask applications serve it, in the toolkits' environment: passes a message on."""

import flask  # type: ignore[import-not-found]

app = flask.Flask(__name__)


@app.get("/ping")  # type: ignore[untyped-decorator]
def ping() -> flask.Response:
    return flask.Response(status=200)


@app.post("/invocations")  # type: ignore[untyped-decorator]
def invocations() -> flask.Response:
    return flask.Response(flask.request.get_data(), mimetype="application/json")
