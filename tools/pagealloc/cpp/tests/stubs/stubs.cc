#include "stubs/stubs.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "stubs/declared.h"

namespace stubs {

std::vector<std::string> made;
std::map<std::string, std::deque<Fault>> faults;

void reset() {
    made.clear();
    faults.clear();
}

namespace {

Fault next(const std::string& name) {
    made.push_back(name);
    auto& queue = faults[name];
    if (queue.empty()) {
        return {};
    }
    Fault fault = std::move(queue.front());
    queue.pop_front();
    return fault;
}

template <typename Call>
auto unless_told(const std::string& name, Call call) -> decltype(call(Fault{})) {
    const Fault fault = next(name);
    if (fault.number != 0) {
        errno = fault.number;
        return -1;
    }
    const auto result = call(fault);
    if (fault.afterwards) {
        fault.afterwards();
    }
    return result;
}

}  // namespace
}  // namespace stubs

ssize_t stub_pread(int descriptor, void* data, std::size_t length, off_t offset) {
    return stubs::unless_told(
        "pread", [&](const stubs::Fault&) { return ::pread(descriptor, data, length, offset); });
}

ssize_t stub_pwrite(int descriptor, const void* data, std::size_t length, off_t offset) {
    return stubs::unless_told("pwrite", [&](const stubs::Fault& fault) {
        return ::pwrite(descriptor, data, fault.length.value_or(length), offset);
    });
}

int stub_fdatasync(int descriptor) {
    return stubs::unless_told("fdatasync",
                              [&](const stubs::Fault&) { return ::fdatasync(descriptor); });
}

int stub_fsync(int descriptor) {
    return stubs::unless_told("fsync", [&](const stubs::Fault&) { return ::fsync(descriptor); });
}

// Linux has no F_FULLFSYNC to make.
int stub_fcntl(int /*descriptor*/, int command) {
    return stubs::unless_told("fcntl " + std::to_string(command),
                              [](const stubs::Fault&) { return 0; });
}
