"""What every writer puts into a file and prints of it: byte for byte the same."""

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagealloc.cli import HELP
from pagealloc.hexdump import hexdump
from pagealloc.page import PAGE_SIZE, PAYLOAD_MAX, build_page
from pagealloc_support import ROOT
from pagewriters import Writer
from writers_support import each_writer, make_samples, outcome, run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a file of each kind."""
    monkeypatch.chdir(tmp_path)
    make_samples()
    return tmp_path


@each_writer
@pytest.mark.parametrize(
    ("text", "stdin", "payload"),
    [
        ("text", b"unused", b"text"),
        ("", b"unused", b""),
        ("--help", b"", b"--help"),
        ("--sync-dir", b"", b"--sync-dir"),
        ("--", b"", b"--"),
        ("-", b"", b""),
        ("-", b"from a pipe\n", b"from a pipe\n"),
        ("-", b"a\0b", b"a\0b"),
        ("-", b"ends in zeros\0\0", b"ends in zeros"),
        ("-", bytes(range(256)), bytes(range(256))),
        ("-", b"x" * 4080, b"x" * 4080),
        ("x" * 4080, b"", b"x" * 4080),
        ("café", b"", "café".encode()),
        (" a  b ", b"", b" a  b "),
    ],
)
def test_text_or_standard_input_is_the_payload(
    writer: Writer, here: Path, text: str, stdin: bytes, payload: bytes
) -> None:
    for option in ([], ["--sync-dir"]):
        assert outcome(writer, "write", *option, "f", "1", text, stdin=stdin) == (0, "", "")
        assert Path("f").read_bytes() == bytes(4096) + build_page(payload)
        assert run(writer, "read", "f", "1").stdout == payload
        Path("f").unlink()


@each_writer
@pytest.mark.parametrize("page_no", ["0", "000", "1", "0001048577", str(2**32 - 2)])
def test_a_page_lies_at_its_number_times_its_size(writer: Writer, here: Path, page_no: str) -> None:
    assert outcome(writer, "write", "f", page_no, "x") == (0, "", "")
    with open("f", "rb") as file:
        file.seek(int(page_no) * PAGE_SIZE)
        assert file.read() == build_page(b"x")
    assert outcome(writer, "read", "f", page_no) == (0, "x", "")
    assert run(writer, "hexdump", "f", page_no).stdout == hexdump(
        build_page(b"x"), int(page_no) * PAGE_SIZE
    )


PAYLOADS = st.binary(max_size=100) | st.integers(PAYLOAD_MAX - 2, PAYLOAD_MAX).map(
    lambda length: bytes(at % 251 for at in range(length))
)


@each_writer
@given(pages=st.lists(st.tuples(st.integers(0, 12), PAYLOADS), max_size=3), old=st.binary())
@settings(max_examples=15, deadline=None)
def test_any_writes_leave_the_bytes_that_they_should(
    writer: Writer, pages: list[tuple[int, bytes]], old: bytes
) -> None:
    expected = bytearray(old)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pages"
        file.write_bytes(old)
        for page_no, payload in pages:
            in_words = b"\0" not in payload and payload != b"-"
            done = run(
                writer,
                *("write", str(file), str(page_no), payload if in_words else "-"),
                stdin=b"" if in_words else payload,
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
            at = page_no * PAGE_SIZE
            expected.extend(bytes(max(0, at - len(expected))))
            expected[at : at + PAGE_SIZE] = build_page(payload)
        assert file.read_bytes() == expected
        for page_no, payload in dict(pages).items():
            assert run(writer, "read", str(file), str(page_no)).stdout == payload.rstrip(b"\0")


@each_writer
def test_the_lab_page(writer: Writer, here: Path) -> None:
    assert outcome(writer, "write", "f", "0", "first page") == (0, "", "")
    xxd = subprocess.run(["xxd", "-l", "32", "f"], capture_output=True, check=True).stdout
    assert xxd == (
        b"00000000: 4547 4150 3145 5344 0000 0000 0000 0000  EGAP1ESD........\n"
        b"00000010: 6669 7273 7420 7061 6765 0000 0000 0000  first page......\n"
    )


@each_writer
def test_a_new_file_has_mode_0644_less_the_umask(writer: Writer, here: Path) -> None:
    for umask, mode in (("022", 0o644), ("000", 0o644), ("077", 0o600)):
        shell = ("sh", "-c", f'umask {umask}; exec "$@"', "sh")
        for name, words in (("w", ["write", "w", "0", ""]), ("f", ["fill", "f", "0"])):
            assert run(writer, *words, before=shell).returncode == 0
            assert Path(name).stat().st_mode & 0o7777 == mode
            Path(name).unlink()


@each_writer
def test_arguments_may_be_any_bytes(writer: Writer, here: Path) -> None:
    assert run(writer, "write", b"f\xff", "0", b"\xfe").returncode == 0
    assert run(writer, "read", b"f\xff", "0").stdout == b"\xfe"
    assert run(writer, "verify", b"f\xff").stdout == b"f\xff: good pages: 1\n"


@each_writer
def test_a_file_may_have_the_name_of_anything(writer: Writer, here: Path) -> None:
    for name in ("-", "--help", "--threads", "write", "new\nline"):
        assert outcome(writer, "write", name, "0", "x") == (0, "", "")
        assert outcome(writer, "read", name, "0") == (0, "x", "")
        assert outcome(writer, "verify", name) == (0, f"{name}: good pages: 1\n", "")


@each_writer
def test_hexdump_of_the_file_is_xxd_of_the_file(writer: Writer, here: Path) -> None:
    for file in ("good", "torn", "empty", "foreign", "hole"):
        xxd = subprocess.run(["xxd", file], capture_output=True, check=True).stdout
        assert run(writer, "hexdump", file).stdout == xxd


@each_writer
def test_hexdump_of_a_page_is_xxd_of_that_part(writer: Writer, here: Path) -> None:
    for file in ("good", "torn"):
        xxd = subprocess.run(
            ["xxd", "-s", "4096", "-l", "4096", file], capture_output=True, check=True
        ).stdout
        assert run(writer, "hexdump", file, "1").stdout == xxd


@each_writer
@given(data=st.binary(max_size=300))
@settings(max_examples=25, deadline=None)
def test_hexdump_of_any_bytes_is_what_xxd_prints(writer: Writer, data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        xxd = subprocess.run(["xxd", file.name], capture_output=True, check=True).stdout
        assert run(writer, "hexdump", file.name).stdout == xxd


@each_writer
def test_help_is_what_the_reference_quotes(writer: Writer) -> None:
    for words in (["--help"], ["-h"], ["--help", "write"]):
        assert outcome(writer, *words) == (0, HELP, "")
    assert HELP in (ROOT / "docs" / "reference" / "pagealloc.md").read_text()
