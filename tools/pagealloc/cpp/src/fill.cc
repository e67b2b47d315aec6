#include <atomic>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "generated.h"
#include "pagealloc.h"
#include "store.h"

namespace pagealloc {
namespace {

// One file being filled: what its threads share.
class Filling {
public:
    Filling(PageFile& file, std::int64_t pages, std::uint64_t seed)
        : pages_(pages), seed_(seed), file_(file) {}

    // Returns when every page is written, or throws what failed first.
    void run(int threads) {
        start_and_join(threads);
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }

private:
    void start_and_join(int threads) {
        std::vector<std::jthread> workers;
        const auto wanted = static_cast<std::size_t>(threads);
        workers.reserve(wanted);
        try {
            while (workers.size() < wanted) {
                workers.emplace_back([this] { work(); });
            }
        } catch (const std::system_error& error) {
            const std::scoped_lock lock(writing_);
            stop(std::make_exception_ptr(
                SystemCallError(file_.name() + ": thread", error.code().value())));
        }
    }

    // Nothing may be thrown out of a thread: it would end the process.
    void work() noexcept {
        for (auto page_no = next_++; page_no < pages_; page_no = next_++) {
            const Page page = generated_page(seed_, page_no);
            const std::scoped_lock lock(writing_);
            if (failure_) {
                return;
            }
            try {
                file_.write_synced(page_no, page);
            } catch (...) {
                stop(std::current_exception());
            }
        }
    }

    void stop(std::exception_ptr failure) noexcept {
        if (!failure_) {
            failure_ = std::move(failure);
        }
    }

    const std::int64_t pages_;
    const std::uint64_t seed_;
    std::atomic<std::int64_t> next_ = 0;
    std::mutex writing_;  // held for a write with its sync; guards file_ and failure_
    PageFile& file_;
    std::exception_ptr failure_;
};

}  // namespace

void fill_pages(const std::filesystem::path& path, std::int64_t pages, FillOptions options) {
    check_page_count(pages);
    if (options.threads < 1 || options.threads > kThreadsMax) {
        throw ArgumentError("threads must be 1 to " + std::to_string(kThreadsMax) + ": " +
                            std::to_string(options.threads));
    }
    auto file = PageFile::for_writing(path);
    Filling(file, pages, options.seed).run(options.threads);
    file.close();
}

}  // namespace pagealloc
