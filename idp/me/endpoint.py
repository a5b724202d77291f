"""The routes of the citizen's own pages."""

from __future__ import annotations

from starlette.routing import Route

from idp.me import complaints, correction, data, download, erase, history, home, own_data_download, permissions, receipt, wishes

routes = [
    Route("/", home.home, methods=["GET"]),
    Route("/me/history", history.history, methods=["GET"]),
    Route("/me/history", history.check, methods=["POST"]),
    Route(download.PATH, download.show, methods=["GET"]),
    Route(download.PATH, download.download, methods=["POST"]),
    Route("/me/history/{index:int}/wrong", complaints.ask, methods=["GET"]),
    Route("/me/history/{index:int}/wrong", complaints.send, methods=["POST"]),
    Route(complaints.PATH, complaints.mine, methods=["GET"]),
    Route(f"{complaints.PATH}/{{complaint}}", complaints.one, methods=["GET"]),
    Route(f"{complaints.PATH}/{{complaint}}", complaints.pass_on, methods=["POST"]),
    Route("/me/permissions", permissions.permissions, methods=["GET"]),
    Route("/me/permissions/{grant}", permissions.ask, methods=["GET"]),
    Route("/me/permissions/{grant}", permissions.withdraw, methods=["POST"]),
    Route("/me/permissions/{grant}/proof", receipt.page, methods=["GET"]),
    Route("/me/permissions/{grant}/receipt", receipt.file, methods=["GET"]),
    Route(wishes.TOLD, wishes.show_told, methods=["GET"]),
    Route(wishes.TOLD, wishes.keep_told, methods=["POST"]),
    Route(wishes.FREEZE, wishes.show_freeze, methods=["GET"]),
    Route(wishes.FREEZE, wishes.change_freeze, methods=["POST"]),
    Route("/me/data", data.data, methods=["GET"]),
    Route(own_data_download.PATH, own_data_download.show, methods=["GET"]),
    Route(own_data_download.PATH, own_data_download.download, methods=["POST"]),
    Route("/me/data/correct", correction.show, methods=["GET"]),
    Route("/me/data/correct", correction.correct, methods=["POST"]),
    Route("/me/erase", erase.ask, methods=["GET"]),
    Route("/me/erase", erase.erase, methods=["POST"]),
]
