# tarsier_git(VARIABLE args…): the output of a git command on the sources, or "unknown".
function(tarsier_git variable)
  execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} ${ARGN}
    OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR output STREQUAL "")
    set(output unknown)
  endif()
  set(${variable} ${output} PARENT_SCOPE)
endfunction()
