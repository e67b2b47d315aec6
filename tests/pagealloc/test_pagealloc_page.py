"""The layout of a page, and its bytes as xxd prints them."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagealloc.errors import ArgumentError
from pagealloc.hexdump import hexdump
from pagealloc.page import (
    LAST_PAGE_NO,
    PAGE_SIZE,
    PAGES_MAX,
    PAYLOAD_MAX,
    build_page,
    check_page_count,
    check_page_no,
    fault_of,
)
from pagealloc.sync import SYNC_CALL, sync_call


def test_a_page_begins_with_magic_and_zeros_and_is_padded() -> None:
    page = build_page(b"first page")
    assert page[:16] == bytes.fromhex("45474150314553440000000000000000")
    assert page[16:26] == b"first page"
    assert page[26:] == bytes(4096 - 26)


def test_the_longest_payload_fills_the_page() -> None:
    assert len(build_page(b"x" * PAYLOAD_MAX)) == PAGE_SIZE == PAYLOAD_MAX + 16


def test_a_longer_payload_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^payload is over 4080 bytes$"):
        build_page(b"x" * (PAYLOAD_MAX + 1))


def test_the_end_of_the_last_page_still_is_an_offset() -> None:
    check_page_no(LAST_PAGE_NO)
    end = LAST_PAGE_NO * PAGE_SIZE + PAGE_SIZE
    assert end <= 2**63 - 1 < end + PAGE_SIZE


@pytest.mark.parametrize(
    ("page_no", "message"),
    [
        (-1, "page number is negative: -1"),
        (LAST_PAGE_NO + 1, "page number is over 2251799813685246: 2251799813685247"),
        (2**64, "page number is over 2251799813685246: 18446744073709551616"),
    ],
)
def test_a_page_number_without_an_offset_is_refused(page_no: int, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        check_page_no(page_no)
    assert str(caught.value) == message


def test_a_count_of_pages_ends_with_the_last_page() -> None:
    check_page_count(PAGES_MAX)
    with pytest.raises(
        ArgumentError, match=r"^page count is over 2251799813685247: 2251799813685248$"
    ):
        check_page_count(LAST_PAGE_NO + 2)


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (build_page(b""), None),
        (build_page(b"x")[:100], "short page: 100 of 4096 bytes"),
        (bytes(4096), "all zero: never written, or lost"),
        (b"x" * 4096, "wrong magic: 0x7878787878787878, not 0x4453453150414745"),
        (build_page(b"")[:8] + b"x" * 4088, "bytes 8 to 15 are not zero"),
    ],
)
def test_a_page_that_is_none_is_named(page: bytes, fault: str | None) -> None:
    assert fault_of(page) == fault


@given(data=st.binary(max_size=100), row=st.integers(0, 2**34 // 16))
def test_hexdump_prints_what_xxd_prints(data: bytes, row: int) -> None:
    xxd = subprocess.run(
        ["xxd", "-o", str(row * 16)], input=data, capture_output=True, check=True
    ).stdout
    assert hexdump(data, row * 16) == xxd


@pytest.mark.parametrize(
    ("platform", "has_fdatasync", "name"),
    [
        ("linux", True, "fdatasync"),
        ("linux", False, "fsync"),
        ("darwin", False, "F_FULLFSYNC"),
        ("darwin", True, "F_FULLFSYNC"),
        ("freebsd14", True, "fdatasync"),
        ("openbsd7", False, "fsync"),
    ],
)
def test_each_platform_has_its_sync(platform: str, has_fdatasync: bool, name: str) -> None:
    assert sync_call(platform, has_fdatasync=has_fdatasync) == name


def test_this_platform_syncs_by_fdatasync() -> None:
    assert SYNC_CALL == "fdatasync"
