#include "lib/exposition/gzip.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include <zlib.h>

namespace exposition {
namespace {

constexpr int kGzipWindowBits = 15 + 16;  // zlib's way to say gzip with the largest window.
constexpr int kMemoryLevel = 8;
constexpr size_t kFirstOutputBytes = 16 << 10;

Bytef* MutableBytes(std::string_view text) {
  // zlib reads next_in only, but Debian's zlib.h declares it without const.
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

uInt ClampToUInt(size_t size) {
  return static_cast<uInt>(std::min<size_t>(size, std::numeric_limits<uInt>::max()));
}

base::Error Malformed(const char* why) {
  return base::Error(std::string("gzip: ") + why, base::ErrorKind::kInvalidArgument);
}

// An inflating stream that ends itself.
class Inflater {
 public:
  Inflater() {
    [[maybe_unused]] const int status = inflateInit2(&stream_, kGzipWindowBits);
    assert(status == Z_OK);
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Inflates one member from `input`, appending to `out`; returns the bytes that it took.
  base::Result<size_t> InflateMember(std::string_view input, size_t max_bytes, std::string* out);

 private:
  z_stream stream_{};
};

base::Result<size_t> Inflater::InflateMember(std::string_view input, size_t max_bytes,
                                             std::string* out) {
  inflateReset(&stream_);
  size_t taken = 0;
  size_t used = out->size();
  for (;;) {
    if (used == out->size()) {
      // One byte beyond the limit tells "exactly as long" from "longer".
      out->resize(std::min(std::max(2 * used, kFirstOutputBytes), max_bytes + 1));
    }
    const uInt room = ClampToUInt(out->size() - used);
    const uInt offered = ClampToUInt(input.size() - taken);
    stream_.next_in = MutableBytes(input.substr(taken));
    stream_.avail_in = offered;
    stream_.next_out = reinterpret_cast<Bytef*>(out->data() + used);
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    taken += offered - stream_.avail_in;
    used += room - stream_.avail_out;
    if (used > max_bytes) {
      return base::Error("gzip: longer than " + std::to_string(max_bytes) + " bytes uncompressed",
                         base::ErrorKind::kResourceExhausted);
    }
    if (status == Z_STREAM_END) {
      out->resize(used);
      return taken;
    }
    if (status == Z_BUF_ERROR || (status == Z_OK && taken == input.size() && used < out->size())) {
      return Malformed("truncated");
    }
    if (status != Z_OK) {
      return Malformed(stream_.msg != nullptr ? stream_.msg : "damaged");
    }
  }
}

}  // namespace

std::string Gzip(std::string_view plain) {
  z_stream stream{};
  [[maybe_unused]] int status = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits,
                                             kMemoryLevel, Z_DEFAULT_STRATEGY);
  assert(status == Z_OK);
  std::string compressed(deflateBound(&stream, plain.size()), '\0');
  size_t taken = 0;
  size_t used = 0;
  do {
    const uInt offered = ClampToUInt(plain.size() - taken);
    const uInt room = ClampToUInt(compressed.size() - used);
    stream.next_in = MutableBytes(plain.substr(taken));
    stream.avail_in = offered;
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data() + used);
    stream.avail_out = room;
    status = deflate(&stream, taken + offered == plain.size() ? Z_FINISH : Z_NO_FLUSH);
    taken += offered - stream.avail_in;
    used += room - stream.avail_out;
  } while (status == Z_OK);
  assert(status == Z_STREAM_END);
  deflateEnd(&stream);
  compressed.resize(used);
  return compressed;
}

base::Result<std::string> Gunzip(std::string_view compressed, size_t max_bytes) {
  if (compressed.empty()) {
    return Malformed("empty");
  }
  std::string plain;
  Inflater inflater;
  while (!compressed.empty()) {
    ASSIGN_OR_RETURN(const size_t taken, inflater.InflateMember(compressed, max_bytes, &plain));
    compressed.remove_prefix(taken);
  }
  return plain;
}

}  // namespace exposition
