#include "lib/http/poller.h"

#include <array>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace http {
namespace {

constexpr int kKindShift = 56;
constexpr uint64_t kNumberMask = (uint64_t{1} << kKindShift) - 1;

}  // namespace

Poller::Poller()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  WatchInput(wake_.get(), Watched::kWake, 0);
}

void Poller::Watch(int fd, uint32_t events, Watched kind, uint64_t number) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = (static_cast<uint64_t>(kind) << kKindShift) | (number & kNumberMask);
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void Poller::WatchInput(int fd, Watched kind, uint64_t number) { Watch(fd, EPOLLIN, kind, number); }

void Poller::WatchChanges(int fd, Watched kind, uint64_t number) {
  Watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, kind, number);
}

std::span<const Readiness> Poller::Wait(int timeout_ms) {
  std::array<epoll_event, kMaxEvents> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kMaxEvents, timeout_ms);
  size_t ready = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const auto kind = static_cast<Watched>(event.data.u64 >> kKindShift);
    if (kind == Watched::kWake) {
      uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t got = read(wake_.get(), &ignored, sizeof(ignored));
      continue;
    }
    ready_[ready++] = {.kind = kind,
                       .number = event.data.u64 & kNumberMask,
                       .finished = (event.events & EPOLLRDHUP) != 0,
                       .gone = (event.events & (EPOLLERR | EPOLLHUP)) != 0};
  }
  return {ready_, ready};
}

void Poller::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
}

}  // namespace http
