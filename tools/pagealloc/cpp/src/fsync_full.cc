// The one file that knows platforms.
//
// Linux has fdatasync(2): data, and the size where the data needs it, without the times. macOS has
// a call of that name which stops at the drive's cache; only fcntl(2) with F_FULLFSYNC goes through
// it. Elsewhere fsync(2) is what POSIX promises.
#include "fsync_full.h"

#include <fcntl.h>
#include <unistd.h>

#include "retried.h"

namespace pagealloc {
namespace {

#if defined(__APPLE__)
constexpr const char* kName = "F_FULLFSYNC";
int sync_once(int descriptor) noexcept { return ::fcntl(descriptor, F_FULLFSYNC); }
#elif defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0
constexpr const char* kName = "fdatasync";
int sync_once(int descriptor) noexcept { return ::fdatasync(descriptor); }
#else
constexpr const char* kName = "fsync";
int sync_once(int descriptor) noexcept { return ::fsync(descriptor); }
#endif

}  // namespace

const char* const kSyncCall = kName;

int fsync_full(int descriptor) noexcept {
    return retried([&] { return sync_once(descriptor); }).number;
}

}  // namespace pagealloc
