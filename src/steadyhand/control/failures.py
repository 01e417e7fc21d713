"""Refusals of the control plane, and the one shape in which it says that something went wrong."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from steadyhand.core.errors import (
    BodyTooLarge,
    InvalidRequest,
    InvalidValue,
    MethodNotAllowed,
    NotFound,
    SteadyhandError,
)


class InvalidToken(SteadyhandError):
    """The control plane's bearer token is absent or is not the one in force."""

    code, status = "invalid_token", 401


class HostNotAllowed(SteadyhandError):
    """The ``Host`` header names a host that this control plane does not answer for."""

    code, status = "host_not_allowed", 421


class OriginNotAllowed(SteadyhandError):
    """A web page of another origin sent this request."""

    code, status = "origin_not_allowed", 403


class InvalidParameter(InvalidValue):
    """A parameter of a control plane request has a value or type outside what is allowed."""

    code, status = "invalid_parameter", 422


class NothingPublished(SteadyhandError):
    """No snapshot has been published yet, so there are no routes and no providers to show."""

    code, status, retryable = "nothing_published", 503, True


class Problem(BaseModel):
    """What went wrong, in the same shape for every status."""

    code: str = Field(description="stable identifier; see the errors reference")
    message: str = Field(description="what happened, with its values")
    hint: str = Field(description="what can be done now; empty if nothing")
    request_id: str = Field(description="also in the `x-request-id` header")


class ProblemBody(BaseModel):
    """The body of every answer whose status is 400 or above."""

    error: Problem


def problem(error: SteadyhandError, request_id: str) -> ProblemBody:
    """Write ``error`` in the shape that every client of the control plane reads."""
    return ProblemBody(
        error=Problem(
            code=error.code, message=error.message, hint=error.hint, request_id=request_id
        )
    )


def headers_of(error: SteadyhandError) -> dict[str, str]:
    """Return the headers that HTTP wants with this status."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="steadyhand"'
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    return headers


def response(
    error: SteadyhandError, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with ``error``; ``headers`` are added to those the status wants."""
    return JSONResponse(
        problem(error, request_id).model_dump(),
        status_code=error.status,
        headers=headers_of(error) | dict(headers or {}),
    )


def escaped(error: Exception) -> SteadyhandError:
    """Return what a caller is told of an error that nobody raised on purpose."""
    return SteadyhandError(
        f"{type(error).__name__} escaped; this is a bug of Steadyhand",
        hint="the control plane's log has the traceback under this request id",
    )


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, SteadyhandError):
        raise error
    return response(error, _request_id(request))


def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    refusal = InvalidParameter(
        f"parameter {where!r}: {first['msg']}", param=where, hint="see /api/v1/openapi.json"
    )
    return response(refusal, _request_id(request))


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    place = f"{request.method} {request.url.path}"
    if error.status_code == HTTPStatus.NOT_FOUND:
        refusal: SteadyhandError = NotFound(
            f"nothing answers {place}", hint="paths are listed in /api/v1/openapi.json"
        )
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        refusal = MethodNotAllowed(f"{place} is not allowed", hint=f"allowed: {allowed}")
    elif error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        refusal = BodyTooLarge(str(error.detail), hint="send less; a release wants a bearer token")
    else:
        refusal = InvalidRequest(str(error.detail))
    return response(refusal, _request_id(request), error.headers)


def install(app: FastAPI) -> None:
    """Make every refusal of ``app`` leave in the one shape; the guard sees to what escapes."""
    app.add_exception_handler(SteadyhandError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
