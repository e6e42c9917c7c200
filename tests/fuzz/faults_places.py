"""Where files lie and how they are named: odd names, links, paths given twice."""

from __future__ import annotations

from collections.abc import Callable

from fault import PLACES, Draw, fault
from hypothesis import strategies as st
from model import Dataset

ODD_NAMES = (
    "exp[1]", "a*b", "what?", "two words", "it's", 'say "x"', "ümläut 日本", "-dash", "a\\b", "100%", "#1", "a;b",
    "$HOME", "{x}", "step=7", "reward=1", "prompt_id=x", "run=2", "~", "a'b--", "new\nline", "x.jsonl", "[!a]",
    "\udcff", "a,b",
)  # fmt: skip


@fault(PLACES)
def odd_root(draw: Draw, data: Dataset) -> str | None:
    """The folder that is audited has an odd name."""
    data.root = draw(st.sampled_from(ODD_NAMES))
    if data.root == "step=7" and not data.columns.get("step"):
        data.root = "step"
    data.renamed = True
    data.refusable |= not data.root.isprintable()
    return f"a folder {data.root!r}"


@fault(PLACES)
def odd_folder(draw: Draw, data: Dataset) -> str | None:
    """All files lie in a folder with an odd name below it."""
    name = draw(st.sampled_from(ODD_NAMES))
    if name == "step=7" and not data.columns.get("step"):
        return None
    _move(data, lambda path: f"{name}/{path}")
    data.renamed = True
    data.refusable |= not name.isprintable()
    return f"all in a folder {name!r}"


def _move(data: Dataset, way: Callable[[str], str]) -> None:
    for doc in data.docs:
        doc.path = way(doc.path)
    data.beside = {way(name): content for name, content in data.beside.items()}
    data.links = [(way(name), way(target) if target != ".." else target) for name, target in data.links]
    data.paths = [way(p) if p else p for p in data.paths]


@fault(PLACES)
def odd_file(draw: Draw, data: Dataset) -> str | None:
    """The one file has an odd name."""
    if not data.table or len(data.docs) != 1 or data.named or data.docs[0].kind == "object":
        return None
    name = draw(st.sampled_from(ODD_NAMES))
    doc = data.docs[0]
    folder, _, old = doc.path.rpartition("/")
    doc.path = f"{folder}/{name}.{old.partition('.')[2]}".lstrip("/")
    data.renamed = True
    data.refusable |= not name.isprintable()
    return f"a file {doc.path!r}"


@fault(PLACES)
def paths_again(draw: Draw, data: Dataset) -> str | None:
    """A path given twice, or within another: each file is read once."""
    if len(data.paths) > 1:
        return None
    inside = draw(st.sampled_from(["", *sorted({d.path for d in data.docs if not d.dead})]))
    data.paths = draw(st.permutations(["", inside]))
    return f"given as {data.paths}"


@fault(PLACES)
def file_by_file(draw: Draw, data: Dataset) -> str | None:
    """The files named one by one, as a shell's * does it."""
    if data.paths != [""] or data.format not in {"table", "counts"} or data.beside or data.links:
        return None
    if any("/" in d.path for d in data.docs):
        return None
    data.paths = draw(st.permutations([d.path for d in data.docs]))
    return "named one by one"


@fault(PLACES)
def links(draw: Draw, data: Dataset) -> str | None:
    """A link to a file or folder that is there as well, to its own folder, or to nothing."""
    doc = draw(st.sampled_from(data.live))
    folder = doc.path.rpartition("/")[0]
    ending = doc.path.rpartition("/")[2].partition(".")[2]
    what = draw(st.sampled_from(["file", "folder", "loop", "nothing"]))
    if what == "file":
        data.links.append((f"{folder}/link.{ending}".lstrip("/"), doc.path))
    elif what == "folder" and folder:
        data.links.append(("link", folder.split("/")[0]))
    elif what == "loop":
        data.links.append(("loop", ".."))
    else:
        data.links.append(("gone." + ending, "nowhere"))
    return f"a link: {data.links[-1]}"
