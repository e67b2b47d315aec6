// Force a file's data to the disk, as each platform spells it.
#pragma once

namespace pagealloc {

// The name of the call that fsync_full makes, for messages.
extern const char* const kSyncCall;

// Returns 0 once the data of `descriptor` is on the disk, otherwise the errno value: it may not be.
//
// Calling again after a failure proves nothing: the kernel reports a failed write-back once and may
// then have dropped the page, so that a second sync has nothing left to write and succeeds
// (fsync(2), NOTES on EIO). Only a call that a signal interrupted (EINTR) is made again here.
[[nodiscard]] int fsync_full(int descriptor) noexcept;

}  // namespace pagealloc
