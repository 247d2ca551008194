"""Flask-JWT-Extended on Flask, for gunicorn: `app:create_app("open")` or `app:create_app("guarded")`."""

import os

from flask import Flask
from flask_jwt_extended import JWTManager, get_jwt_identity, jwt_required


def create_app(mode):
    app = Flask(__name__)

    if mode == "open":

        @app.route("/")
        def open_route():
            return "ada"

    else:
        app.config["JWT_SECRET_KEY"] = os.environ["PEERS_SECRET"]
        JWTManager(app)

        @app.route("/")
        @jwt_required()
        def guarded_route():
            return get_jwt_identity()

    return app
