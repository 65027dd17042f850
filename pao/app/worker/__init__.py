"""The worker: how it is built, its process, and its releases."""

from pao.app.worker.builder import Workers, build_worker

__all__ = ["Workers", "build_worker"]
