#include "exporters/pgbouncer/scram.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace exporters::pgbouncer {
namespace {

// The example of RFC 7677, section 3; it has a user name where we leave it empty, so the proofs
// differ, but the keys do not. These values were computed with Python's hashlib and hmac.
constexpr char kNonce[] = "rOprNGfwEbeRWgbNEkqO";
constexpr char kServerFirst[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

TEST(Scram, ProvesThePasswordAndChecksTheServer) {
  ScramKeyCache keys;
  for (int i = 0; i < 2; ++i) {  // With derived and with remembered keys.
    ScramClient client(base::Secret("pencil"), kNonce, keys);
    EXPECT_EQ(client.FirstMessage(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
    const auto final = client.FinalMessage(kServerFirst);
    ASSERT_TRUE(final.ok()) << final.error().message();
    EXPECT_EQ(*final,
              "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=qvT2SWdEH5Q06albL+"
              "hjSYuUhCG7VndFyzIb7CK4n9k=");
    EXPECT_TRUE(client.CheckServer("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=").ok());
    for (const char* bad : {"", "v=", "v=AAAA", "v=not base64", "e=other-error",
                            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}) {
      EXPECT_FALSE(client.CheckServer(bad).ok()) << bad;
    }
  }
}

TEST(Scram, ChecksNoServerBeforeItsOwnProof) {
  ScramKeyCache keys;
  const ScramClient client(base::Secret("pencil"), kNonce, keys);
  EXPECT_FALSE(client.CheckServer("v=").ok());
  EXPECT_FALSE(client.CheckServer("v=AAAA").ok());
}

TEST(Scram, RefusesServersThatCheat) {
  const auto check = [](const std::string& first, base::ErrorKind kind) {
    ScramKeyCache keys;
    ScramClient client(base::Secret("pencil"), "abc", keys);
    const auto final = client.FinalMessage(first);
    ASSERT_FALSE(final.ok()) << first;
    EXPECT_EQ(final.error().kind(), kind) << first;
  };
  const auto bad = base::ErrorKind::kInvalidArgument;
  check("", bad);
  check("r=abcd", bad);
  check("r=abcd,s=AAAA", bad);
  check("r=xyz,s=AAAA,i=4096", bad);  // Not our nonce.
  check("r=abc,s=AAAA,i=4096", bad);  // Nothing of its own.
  check("r=abcd,s=A,i=4096", bad);
  check("r=abcd,s=,i=4096", bad);
  check("r=abcd,s=AAAA,i=0", bad);
  check("r=abcd,s=AAAA,i=-1", bad);
  check("r=abcd,s=AAAA,i=x", bad);
  check("r=abcd,s=AAAA,i=" + std::to_string(kMaxScramIterations + 1),
        base::ErrorKind::kResourceExhausted);
}

TEST(Nonce, IsNeverTheSameAndHasNoComma) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto nonce = MakeNonce();
    ASSERT_TRUE(nonce.ok());
    EXPECT_EQ(nonce->size(), 24U);
    EXPECT_EQ(nonce->find(','), std::string::npos);
    seen.insert(*nonce);
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST(Md5, IsTwiceHashed) {
  EXPECT_EQ(Md5Password(base::Secret("pw"), "stats", std::string("\1\2\3\4")),
            "md5a6884ede50b1779147b11293d401e048");
}

}  // namespace
}  // namespace exporters::pgbouncer
