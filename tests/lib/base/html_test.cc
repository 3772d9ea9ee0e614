#include "lib/base/html.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(EscapeHtml, LeavesNothingThatMeansSomethingInHtml) {
  EXPECT_EQ(EscapeHtml(R"(<a href="x" b='y'>&)"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(EscapeHtml("plain ä"), "plain ä");
}

}  // namespace
}  // namespace base
