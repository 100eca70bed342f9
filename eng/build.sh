# Sourced by ./chaperone: builds when sources changed. The stamp is a digest of the sources' names and contents, so an unchanged tree starts no build tool.

# source_stamp FOLDER...: digest over those folders and the files at the root that shape every build.
source_stamp() (
  cd "$root"
  { find "$@" eng/BannedSymbols.txt Directory.*.props Directory.*.targets .editorconfig global.json nuget.config NuGet.config \
    \( -name bin -o -name obj -o -name node_modules -o -path '*/wwwroot/dist' \) -prune -o -type f -print0 2>/dev/null || true; } \
    | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
)

# once_built FOLDER COMMAND...: runs the command, which fills FOLDER.new, unless FOLDER is there. Two launchers build one after the other.
once_built() {
  local folder=$1
  shift
  [ -d "$folder" ] && return
  mkdir -p "$build"
  (
    if command -v flock >/dev/null; then exec 9>"$build/lock" && flock 9; fi
    [ -d "$folder" ] && exit
    rm -rf "$folder.new"
    "$@" "$folder.new" </dev/null >&2
    mv "$folder.new" "$folder"
    # A server may still run from the build before this one.
    ls -1dt "${folder%-*}"-* | tail -n +3 | xargs -r rm -rf
  ) || refuse "the build failed; what it said stands above."
}

publish_server() {
  server=$build/server-$(source_stamp src db)
  [ -d "$server" ] || { need_dotnet_sdk; need_node; echo "chaperone: building" >&2; }
  once_built "$server" dotnet publish "$root/src/Chaperone.Server" -c Release --nologo -v quiet -o
}

publish_witness() {
  witness=$build/witness-$(source_stamp src/Chaperone.Witness src/Chaperone.Ledger)
  [ -d "$witness" ] || { need_dotnet_sdk; echo "chaperone: building" >&2; }
  once_built "$witness" dotnet publish "$root/src/Chaperone.Witness" -c Release --nologo -v quiet -o
}

build_bench() {
  bench=$build/bench-$(source_stamp src db bench tests/Chaperone.TestSupport)
  [ -d "$bench" ] || { need_dotnet_sdk; need_node; echo "chaperone: building" >&2; }
  once_built "$bench" dotnet publish "$root/bench/Chaperone.Bench" -c Release --nologo -v quiet -o
}
