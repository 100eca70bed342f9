# Sourced by ./chaperone: one build, then every test program under tests/, then one line: N passed, N failed, N skipped.

# run_program NAME PROGRAM ARGS...: a crash, or a program without a test, counts as a failure.
run_program() {
  local name=$1 log=$build/test-$1.log code=0 summary total=0 errors=0 bad=0 ignored=0 seconds=$SECONDS
  shift
  timeout --foreground 1000 "$@" >"$log" 2>&1 </dev/null || code=$?
  summary=$(grep -aoE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1) || true
  [ -z "$summary" ] || read -r total errors bad ignored <<<"$(tr -dc '0-9 ' <<<"$summary")"
  bad=$((bad + errors))
  local note=""
  if [ -z "$summary" ]; then note="crashed (exit code $code)" bad=1 total=1
  elif [ "$total" = 0 ]; then note="ran no test" bad=1 total=1
  elif [ "$code" != 0 ] && [ "$bad" = 0 ]; then note="ended with exit code $code after its tests" bad=1 total=$((total + 1))
  fi
  passed=$((passed + total - bad - ignored)) failed=$((failed + bad)) skipped=$((skipped + ignored))
  printf '%-34s %5d passed %4d failed %4d skipped %5d s  %s\n' "$name" $((total - bad - ignored)) "$bad" "$ignored" $((SECONDS - seconds)) "$note"
  if [ "$bad" != 0 ]; then
    sed 's/^/    /' "$log" | grep -avE '^ +(Discover|Starting|Finished)' | tail -n 200 || true
  fi
}

# The front end's own checks count as one test.
run_front_end_checks() {
  local package=$root/src/Chaperone.Server/Assets/package.json code=0
  [ -f "$package" ] && grep -q '"test" *:' "$package" || return 0
  (cd "$(dirname "$package")" && npm test --silent) >"$build/test-front-end.log" 2>&1 </dev/null || code=$?
  if [ "$code" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); cat "$build/test-front-end.log"; fi
  printf '%-34s %s\n' "front end" "$([ "$code" = 0 ] && echo passed || echo failed)"
}

# When each test last passed, for Settings > Security > Compliance: git ignores the file, the server reads it.
keep_passes() {
  local commit changed=no
  commit=$(git -C "$root" rev-parse HEAD 2>/dev/null) || commit=
  [ -z "$(git -C "$root" status --porcelain 2>/dev/null)" ] || changed=yes
  node "$root/eng/test-passes.mjs" "$build/test-passes.json" "$1" "$(source_stamp src db)" "$commit" "$changed" "$failed" || failed=$((failed + 1))
}

run_tests() {
  [ $# = 0 ] || refuse "test takes no options."
  passed=0 failed=1 skipped=0 # until the build has shown otherwise
  trap 'echo "$passed passed, $failed failed, $skipped skipped"' EXIT
  need_dotnet_sdk
  need_node
  need_postgres
  need_chromium
  need_outsiders
  need_rsyslog
  CHROMIUM_PATH=$(chromium_path)
  export CHROMIUM_PATH
  mkdir -p "$build"
  echo "chaperone: building"
  dotnet build "$root/Chaperone.slnx" -c Release --nologo -v quiet </dev/null || refuse "the build failed; what it said stands above."

  failed=0
  local project name results=$build/test-results
  rm -rf "$results"
  mkdir -p "$results"
  for project in "$root"/tests/*/*.csproj; do
    grep -q '<OutputType>Exe</OutputType>' "$project" || continue
    name=$(basename "$project" .csproj)
    run_program "$name" "$(dirname "$project")/bin/Release/net10.0/$name" -noColor -noLogo -noAutoReporters -parallel collections -xml "$results/$name.xml"
  done
  keep_passes "$results"
  run_front_end_checks
  [ "$failed" = 0 ]
}
