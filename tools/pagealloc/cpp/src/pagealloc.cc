#include "pagealloc.h"

#include <algorithm>

#include "store.h"

namespace pagealloc {

void write_page(const std::filesystem::path& path, std::int64_t page_no, Bytes data,
                SyncDirectory sync_dir) {
    check_page_no(page_no);
    const Page page = build_page(data);
    auto file = PageFile::for_writing(path);
    file.write_synced(page_no, page);
    file.close();
    if (sync_dir == SyncDirectory::kYes) {
        sync_directory(path);
    }
}

Payload read_page(const std::filesystem::path& path, std::int64_t page_no) {
    const auto page = read_raw(path, page_no);
    if (const auto fault = fault_of(page)) {
        throw ContentError(place(path.native(), page_no) + ": " + *fault);
    }
    Payload payload{};
    std::ranges::copy(std::span(page).subspan(kHeaderSize), payload.begin());
    return payload;
}

std::vector<std::byte> read_raw(const std::filesystem::path& path, std::int64_t page_no) {
    check_page_no(page_no);
    auto file = PageFile::for_reading(path);
    Page page{};
    const auto bytes = file.read(page_no, page);
    file.close();
    if (bytes.empty()) {
        throw ContentError(place(path.native(), page_no) + ": beyond the end of the file");
    }
    return {bytes.begin(), bytes.end()};
}

void visit_pages(const std::filesystem::path& path,
                 const std::function<void(std::int64_t, Bytes)>& visit) {
    auto file = PageFile::for_reading(path);
    Page page{};
    std::int64_t page_no = 0;
    for (auto bytes = file.read(page_no, page); !bytes.empty(); bytes = file.read(page_no, page)) {
        visit(page_no, bytes);
        ++page_no;
    }
    file.close();
}

}  // namespace pagealloc
