#include "lib/exposition/gzip.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace exposition {
namespace {

constexpr size_t kCap = 1 << 20;

std::string RandomBytes(size_t size) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same bytes every time.
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    c = static_cast<char>(random());
  }
  return bytes;
}

base::ErrorKind GunzipError(std::string_view compressed, size_t max_bytes = kCap) {
  const auto plain = Gunzip(compressed, max_bytes);
  EXPECT_FALSE(plain.ok());
  return plain.ok() ? base::ErrorKind::kUnknown : plain.error().kind();
}

TEST(Gzip, RoundTripsEverySizeAroundItsBuffers) {
  for (const size_t size : {0UL, 1UL, 1000UL, 16383UL, 16384UL, 16385UL, 100000UL, 1048576UL}) {
    for (const std::string& plain : {std::string(size, 'a'), RandomBytes(size)}) {
      const auto back = Gunzip(Gzip(plain), kCap);
      ASSERT_TRUE(back.ok()) << size << ": " << back.error().message();
      EXPECT_EQ(*back, plain) << size;
    }
  }
}

TEST(Gunzip, AcceptsOutputOfExactlyTheCapAndRefusesOneByteMore) {
  const std::string plain(5000, 'x');
  EXPECT_TRUE(Gunzip(Gzip(plain), 5000).ok());
  EXPECT_EQ(GunzipError(Gzip(plain), 4999), base::ErrorKind::kResourceExhausted);
  EXPECT_EQ(GunzipError(Gzip("x"), 0), base::ErrorKind::kResourceExhausted);
}

TEST(Gunzip, RefusesABombBeforeItIsUnpacked) {
  const std::string bomb = Gzip(std::string(64 << 20, '\0'));
  EXPECT_EQ(GunzipError(bomb, 1000), base::ErrorKind::kResourceExhausted);
}

TEST(Gunzip, CapsTheSumOfAllMembers) {
  const std::string two = Gzip(std::string(600, 'a')) + Gzip(std::string(600, 'b'));
  EXPECT_EQ(GunzipError(two, 1000), base::ErrorKind::kResourceExhausted);
}

TEST(Gunzip, JoinsConcatenatedMembers) {
  const auto plain = Gunzip(Gzip("metric 1\n") + Gzip("") + Gzip("other 2\n"), kCap);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(*plain, "metric 1\nother 2\n");
}

TEST(Gunzip, RefusesATruncationAtEveryByte) {
  const std::string compressed = Gzip("some_metric{label=\"value\"} 42\n");
  for (size_t size = 0; size < compressed.size(); ++size) {
    EXPECT_EQ(GunzipError(compressed.substr(0, size)), base::ErrorKind::kInvalidArgument) << size;
  }
}

TEST(Gunzip, RefusesWhatIsNotGzip) {
  const std::string good = Gzip("metric 1\n");
  std::string bad_checksum = good;
  bad_checksum[good.size() - 8] = static_cast<char>(bad_checksum[good.size() - 8] ^ 1);
  for (const std::string& input :
       {std::string("metric 1\n"), std::string("\x1f\x8b"), bad_checksum, good + "trailing",
        std::string("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)}) {
    EXPECT_EQ(GunzipError(input), base::ErrorKind::kInvalidArgument);
  }
}

}  // namespace
}  // namespace exposition
