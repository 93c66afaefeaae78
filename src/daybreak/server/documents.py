"""What the studio saves for a project: storyboards, styles and prompt templates, each a name and JSON of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from daybreak.database import documents
from daybreak.database.documents import KINDS, Document, TooManyDocuments
from daybreak.server.auth import Principal, requires
from daybreak.server.body import BodyLimits, read_body
from daybreak.server.context import context_of
from daybreak.server.errors import invalid, invalid_choice, missing, not_found
from daybreak.server.library_schemas import DocumentList, DocumentResource
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import to_json

router = APIRouter(tags=["Studio"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

MAX_NAME = 200  # characters
_LIMITS = BodyLimits(text=2**20, file=0, files=0)  # a storyboard of 200 shots has a tenth of it


@router.get("/v1/library/documents", response_model=DocumentList)
async def list_documents(
    request: Request,
    principal: Reader,
    kind: Annotated[str, Query(description="storyboard, style or template.")],
    content: Annotated[bool, Query(description="Whether to send the contents along.")] = False,
) -> Response:
    """All documents of a kind, the last changed first."""
    if kind not in KINDS:
        raise invalid_choice("kind", kind, KINDS)
    context = context_of(request)
    found = await context.run(documents.list_documents, context.db, principal.project_id, kind)
    return _json({"object": "list", "data": [_document_object(one, content=content) for one in found]})


@router.post("/v1/library/documents", response_model=DocumentResource)
async def create_document(request: Request, principal: Writer) -> Response:
    """Saves a new document: `kind`, `name`, `content`."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, _LIMITS)).fields)
    kind = parameters.choice("kind", KINDS)
    if kind is None:
        raise missing("kind")
    name, content = _name_and_content(parameters)
    try:
        made = await context.run(
            documents.create_document, context.db, principal.project_id, kind, name, content, context.clock()
        )
    except TooManyDocuments as error:
        raise invalid("kind", f"{str(error).capitalize()}.", "too_many_documents") from error
    return _json(_document_object(made, content=True))


@router.get("/v1/library/documents/{document_id}", response_model=DocumentResource)
async def retrieve_document(request: Request, document_id: str, principal: Reader) -> Response:
    """A document with its content."""
    context = context_of(request)
    found = await context.run(documents.get_document, context.db, principal.project_id, document_id)
    return _json(_document_object(_there(found, document_id), content=True))


@router.put("/v1/library/documents/{document_id}", response_model=DocumentResource)
async def save_document(request: Request, document_id: str, principal: Writer) -> Response:
    """Gives a document another `name` and `content`."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, _LIMITS)).fields)
    name, content = _name_and_content(parameters)
    found = await context.run(
        documents.save_document, context.db, principal.project_id, document_id, name, content, context.clock()
    )
    return _json(_document_object(_there(found, document_id), content=True))


@router.delete("/v1/library/documents/{document_id}")
async def delete_document(request: Request, document_id: str, principal: Writer) -> Response:
    """Deletes a document."""
    context = context_of(request)
    if not await context.run(documents.delete_document, context.db, principal.project_id, document_id):
        raise not_found("document", document_id)
    return _json({"id": document_id, "object": "library.document.deleted", "deleted": True})


def _name_and_content(parameters: Parameters) -> tuple[str, Any]:
    name = parameters.text("name", MAX_NAME, required=True)
    if "content" not in parameters:
        raise missing(parameters.name("content"))
    content = parameters.take("content")
    parameters.finish()
    assert name is not None
    return name.strip(), content


def _there(document: Document | None, wanted: str) -> Document:
    if document is None:
        raise not_found("document", wanted)
    return document


def _document_object(document: Document, *, content: bool) -> dict[str, Any]:
    plain = asdict(document)
    if not content:
        del plain["content"]
    return {"object": "library.document", **plain}


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
