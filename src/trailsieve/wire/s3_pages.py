"""Reads the pages of ListObjectsV2 several times faster than botocore, which reads all fields of a key."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree


def read_pages_fast(client: Any) -> None:
    """Makes an S3 client take only `Key` and `Size` of listed objects; everything else stays botocore's."""
    client.meta.events.register("before-parse.s3.ListObjectsV2", _take_contents)


def _take_contents(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Moves the objects from the body to the parsed response; botocore parses what is left.

    Source: docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    if response_dict["status_code"] != 200:
        return
    try:
        root = ElementTree.fromstring(response_dict["body"])  # noqa: S314 - as botocore does
    except ElementTree.ParseError:
        return  # botocore says what is wrong with it
    objects = [child for child in root if _name(child) == "Contents"]
    if objects:
        customized_response_dict["Contents"] = [_object(child) for child in objects]
        root[:] = [child for child in root if _name(child) != "Contents"]
        response_dict["body"] = ElementTree.tostring(root)


def _object(contents: ElementTree.Element) -> dict[str, Any]:
    fields = {_name(field): field.text or "" for field in contents}
    return {"Key": fields["Key"], "Size": int(fields["Size"])}


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
