"""Public data arrive whole and unchanged, or not at all."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lusco.errors import InputError
from lusco.fetch import COLUMNS, fetch

CONTENT = b"x [nm],y [nm]\n1,2\n"
MANIFEST = Path(__file__).parents[1] / "resources" / "data_manifest.tsv"


@pytest.fixture
def server():
    """Address of a local server that has CONTENT under /cell.csv and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/cell.csv"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(CONTENT if found else b"")

        def log_message(self, *_):
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    """Write a manifest of one file, `cells/cell.csv`."""
    monkeypatch.delenv("LUSCO_DATA", raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)

    def write(url="http://127.0.0.1:9/none", content=CONTENT):
        path = tmp_path / "manifest.tsv"
        row = ["cells/cell.csv", url, hashlib.sha256(content).hexdigest(), "MIT"]
        path.write_text("\n".join("\t".join(line) for line in (COLUMNS, row)) + "\n")
        return path

    return write


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(".*")]


def test_a_file_is_downloaded(server, manifest, tmp_path):
    fetch("cells/cell.csv", manifest(f"{server}/cell.csv"), tmp_path / "data" / "cell.csv")
    assert (tmp_path / "data" / "cell.csv").read_bytes() == CONTENT
    assert not left_over(tmp_path / "data")


def test_a_file_is_taken_from_the_folder_of_the_environment(manifest, tmp_path, monkeypatch):
    (tmp_path / "here" / "cells").mkdir(parents=True)
    (tmp_path / "here" / "cells" / "cell.csv").write_bytes(CONTENT)
    monkeypatch.setenv("LUSCO_DATA", str(tmp_path / "here"))
    fetch("cells/cell.csv", manifest(), tmp_path / "cell.csv")
    assert (tmp_path / "cell.csv").read_bytes() == CONTENT


def test_another_file_in_that_folder_is_a_fault(manifest, tmp_path, monkeypatch):
    (tmp_path / "here" / "cells").mkdir(parents=True)
    (tmp_path / "here" / "cells" / "cell.csv").write_bytes(b"other")
    monkeypatch.setenv("LUSCO_DATA", str(tmp_path / "here"))
    with pytest.raises(InputError, match=r"cell\.csv: the file is not the one meant.*unset LUSCO_DATA"):
        fetch("cells/cell.csv", manifest(), tmp_path / "cell.csv")
    assert not (tmp_path / "cell.csv").exists() and not left_over(tmp_path)


def test_a_file_absent_from_that_folder_is_a_fault(manifest, tmp_path, monkeypatch):
    monkeypatch.setenv("LUSCO_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"cell\.csv: the file does not exist in the folder LUSCO_DATA"):
        fetch("cells/cell.csv", manifest(), tmp_path / "cell.csv")


@pytest.mark.parametrize(
    ("page", "content", "said"),
    [
        ("/gone.csv", CONTENT, r"refused it \(404\).*LUSCO_DATA"),
        ("/cell.csv", b"another", "sha256 differs.*LUSCO_DATA"),
    ],
)
def test_a_wrong_download_is_a_fault_and_leaves_nothing(server, manifest, tmp_path, page, content, said):
    with pytest.raises(InputError, match=said):
        fetch("cells/cell.csv", manifest(server + page, content), tmp_path / "cell.csv")
    assert not (tmp_path / "cell.csv").exists() and not left_over(tmp_path)


def test_no_network_is_said_with_the_way_around_it(manifest, tmp_path):
    with pytest.raises(
        InputError, match=r"127\.0\.0\.1:9/none: .*no network; connect and try again, or set LUSCO_DATA"
    ):
        fetch("cells/cell.csv", manifest(), tmp_path / "cell.csv")


def test_an_unknown_file_is_a_fault_with_the_nearest_name(manifest, tmp_path):
    with pytest.raises(InputError, match=r"did you mean `cells/cell.csv`"):
        fetch("cells/cel.csv", manifest(), tmp_path / "cell.csv")


def test_a_missing_or_foreign_manifest_is_a_fault(tmp_path):
    with pytest.raises(InputError, match="the manifest does not exist"):
        fetch("a", tmp_path / "none.tsv", tmp_path / "a")
    (tmp_path / "foreign.tsv").write_text("name\turl\na\tb\n")
    with pytest.raises(InputError, match="column `file` is missing"):
        fetch("a", tmp_path / "foreign.tsv", tmp_path / "a")


def test_every_address_in_the_manifest_is_of_one_version():
    lines = [line.split("\t") for line in MANIFEST.read_text().splitlines()]
    assert tuple(lines[0]) == COLUMNS
    for file, url, sha256, licence in lines[1:]:
        version = url.removeprefix("https://raw.githubusercontent.com/").split("/")[2]
        assert len(version) == 40 or version.startswith("v"), url
        assert url.endswith(Path(file).name) and len(sha256) == 64 and licence


def test_the_public_data_are_those_of_the_manifest(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LUSCO_DATA", str(data_folder))
    for line in MANIFEST.read_text().splitlines()[1:]:
        fetch(line.split("\t")[0], MANIFEST, tmp_path / "file")
