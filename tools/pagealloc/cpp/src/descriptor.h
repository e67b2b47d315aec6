// A file descriptor that is closed exactly once, whatever happens.
#pragma once

#include <filesystem>
#include <string>

namespace pagealloc {

class Descriptor {
public:
    // Opens `path`, O_CLOEXEC added to `flags`; messages begin with `name`. A new file gets mode
    // 0644, less the umask. Throws SystemCallError.
    Descriptor(const std::filesystem::path& path, int flags, std::string name);
    // Closes; an error is passed over, since another one is on its way already.
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;

    // Closes and tells of an error. Throws SystemCallError; the descriptor is gone all the same.
    void close();

    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    int number_ = -1;  // -1: closed
};

}  // namespace pagealloc
