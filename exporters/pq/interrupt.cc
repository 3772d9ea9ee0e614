#include "exporters/pq/interrupt.h"

#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>

namespace exporters::pq {

base::Result<Interrupt> Interrupt::Make() {
  base::UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd.valid()) {
    return base::ErrnoError("eventfd");
  }
  return Interrupt(std::move(fd));
}

void Interrupt::Raise() const {
  // Fails only when the counter would overflow; then it is raised already.
  static_cast<void>(::eventfd_write(fd_.get(), 1));
}

void Interrupt::Clear() const {
  eventfd_t count = 0;
  // Fails when it is not raised.
  static_cast<void>(::eventfd_read(fd_.get(), &count));
}

bool Interrupt::raised() const {
  pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

}  // namespace exporters::pq
