"""Folders of a bucket are listed ahead, several at a time."""

from __future__ import annotations

import threading

import pytest

from trailsieve.sources.s3.folder_tree import Folder, FolderTree
from trailsieve.sources.s3.request_pool import RequestPool

PATIENCE = 60.0  # seconds; a tree that lists one folder after another would wait for ever


def children(folder: str) -> list[str]:
    depth = folder.count("/")
    return [f"{folder}{number}/" for number in range(4)] if depth < 3 else []


def walk(tree: FolderTree, folder: str) -> list[str]:
    return [folder, *(name for inner in tree.contents(folder)[0] for name in walk(tree, inner))]


def test_folders_next_to_each_other_are_listed_at_once_and_each_once() -> None:
    together = threading.Barrier(4)
    listed = []

    def list_folder(folder: str) -> Folder:
        listed.append(folder)
        if folder.count("/") == 2:
            together.wait(PATIENCE)
        return children(folder), False

    pool = RequestPool()
    found = walk(FolderTree(list_folder, lambda folder, inner: inner, pool), "/")
    pool.close()
    assert found == sorted(found)
    assert sorted(listed) == found


def test_folders_that_are_not_wanted_are_not_listed() -> None:
    listed = []

    def list_folder(folder: str) -> Folder:
        listed.append(folder)
        return children(folder), True

    pool = RequestPool()
    tree = FolderTree(list_folder, lambda folder, inner: [name for name in inner if "3" not in name], pool)
    assert tree.contents("/") == (["/0/", "/1/", "/2/", "/3/"], True)
    for name in ("/0/", "/1/", "/2/"):
        tree.contents(name)
    pool.close()
    assert "/3/" not in listed


def test_what_a_request_raises_reaches_who_asks() -> None:
    def list_folder(folder: str) -> Folder:
        if folder == "/1/":
            raise OSError("refused")
        return children(folder), False

    pool = RequestPool()
    tree = FolderTree(list_folder, lambda folder, inner: inner, pool)
    assert tree.contents("/")[0]
    with pytest.raises(OSError, match="refused"):
        tree.contents("/1/")
    pool.close()
