#include "error.h"

#include <cerrno>

namespace pagealloc {

std::string words(int number) {
    switch (number) {
        case EACCES:
            return "permission denied";
        case EDQUOT:
            return "disk quota exceeded";
        case EFBIG:
            return "file too large";
        case EIO:
            return "input/output error";
        case EISDIR:
            return "is a directory";
        case ELOOP:
            return "too many symbolic links";
        case EMFILE:
            return "too many open files";
        case ENAMETOOLONG:
            return "name too long";
        case ENOENT:
            return "no such file or directory";
        case ENOSPC:
            return "no space left on device";
        case ENOTDIR:
            return "not a directory";
        case EPERM:
            return "operation not permitted";
        case EROFS:
            return "read-only file system";
        case ETXTBSY:
            return "file is being executed";
        default:
            return "error " + std::to_string(number);
    }
}

SystemCallError::SystemCallError(const std::string& where, int number)
    : SystemCallError(where + ": " + words(number),
                      std::error_code(number, std::generic_category())) {}

SyncError::SyncError(const std::string& where, int number, const std::string& lost)
    : SystemCallError(where + ": " + words(number) + "; " + lost,
                      std::error_code(number, std::generic_category())) {}

}  // namespace pagealloc
