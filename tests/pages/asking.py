"""Questions in AppTest: they are closed until the reader opens them."""


def ask(app):
    """Open every question of the page."""
    for box in app.get("expander"):
        _, found, key = box.proto.id.rpartition("-ask-")
        if found:
            app.session_state[f"ask-{key}"] = True
    app.run()
    assert not app.exception
    return app
