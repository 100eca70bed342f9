# Sourced by ./chaperone: finds what the machine must have, and installs what Debian or Ubuntu packages can give.
# Every check that runs on an unchanged tree is a look at files, not a start of a tool.

refuse() {
  echo "chaperone: $*" >&2
  exit 2
}

# apt_install WHY PACKAGE...: says what and why, then installs. Fails where there is no apt or no right to use it.
apt_install() {
  local why=$1 as=()
  shift
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || refuse "$why. Run as root: apt-get install $*"
    as=(sudo)
    [ -t 0 ] || as=(sudo -n)
  fi
  echo "chaperone: $why; installing the packages: $*" >&2
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null && return
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 </dev/null || true
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null
}

# apt_offers PACKAGE MAJOR: true when apt's candidate is at least that version.
apt_offers() {
  local candidate
  command -v apt-cache >/dev/null || return 1
  candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9]*\).*/\2/p')
  [ -n "$candidate" ] && [ "$candidate" -ge "$2" ]
}

need_dotnet_runtime() {
  command -v dotnet >/dev/null || need_dotnet_sdk
}

need_dotnet_sdk() {
  command -v dotnet >/dev/null && (cd "$root" && dotnet --version >/dev/null 2>&1) && return
  if apt_offers dotnet-sdk-10.0 10; then
    apt_install "Chaperone is built with the .NET SDK 10, which is missing" dotnet-sdk-10.0 || true
    command -v dotnet >/dev/null && (cd "$root" && dotnet --version >/dev/null 2>&1) && return
  fi
  refuse "the .NET SDK $(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$root/global.json") or a later patch of it is missing. Install it from https://dotnet.microsoft.com/download and put dotnet on PATH."
}

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]
}

need_node() {
  node_is_new_enough && return
  if apt_offers nodejs 20; then
    apt_install "The pages are bundled with Node 20 and npm, which are missing" nodejs npm || true
    node_is_new_enough && return
  fi
  refuse "Node 20 or newer with npm is missing. Install it from https://nodejs.org and put node and npm on PATH."
}

has_postgres() {
  local folder
  [ -z "${Chaperone__PostgresFolder:-}" ] || return 0 # named: the server says what is wrong with it
  for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin; do
    [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] || continue
    folder=${folder%/bin} folder=${folder##*[/-]}
    [[ $folder =~ ^[0-9]+$ ]] && [ "$folder" -lt 15 ] || return 0
  done
  command -v initdb >/dev/null && command -v pg_ctl >/dev/null # its version is the server's to judge
}

# Chaperone runs a cluster of its own: the package's main cluster, which would start at boot and listen, is not wanted.
need_postgres() {
  has_postgres && return
  if apt_offers postgresql 15; then
    apt_install "The database is PostgreSQL 15 or newer, which is missing (its own main cluster stays off: create_main_cluster = false in /etc/postgresql-common/createcluster.conf)" postgresql-common || true
    local conf=/etc/postgresql-common/createcluster.conf as=()
    [ "$(id -u)" = 0 ] || as=(sudo)
    if [ -f "$conf" ] && ! grep -q '^ *create_main_cluster *= *false' "$conf"; then
      "${as[@]}" sed -i '$a create_main_cluster = false' "$conf"
    fi
    apt_install "The database is PostgreSQL 15 or newer, which is missing" postgresql || true
    has_postgres && return
  fi
  refuse "the programs of PostgreSQL 15 or newer are missing. Install PostgreSQL and put its bin folder (initdb, pg_ctl, postgres) on PATH."
}

chromium_path() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

need_chromium() {
  chromium_path >/dev/null && return
  apt_install "The browser tests run in Chromium, which is missing" chromium || true
  chromium_path >/dev/null || refuse "Chromium is missing, which the browser tests run in. Install it and put chromium on PATH."
}

# The tests hold the log against verifiers of other people: Go's x/mod, and the script of docs/ledger.md.
has_go() {
  command -v go >/dev/null && [ -d "${GOPATH:-/usr/share/gocode}/src/golang.org/x/mod/sumdb/tlog" ]
}

need_outsiders() {
  command -v python3 >/dev/null || apt_install "The tests run the verifier of docs/ledger.md, for which Python is missing" python3 || true
  command -v python3 >/dev/null || refuse "Python 3 is missing, which the verifier of docs/ledger.md runs in. Install it and put python3 on PATH."
  has_go && return
  apt_install "The tests hold the log against Go's x/mod, which is missing" golang-go golang-golang-x-mod-dev || true
  has_go || refuse "Go or its module golang.org/x/mod is missing, which the tests hold the log against. Install Go and put x/mod under src/golang.org/x/mod of GOPATH."
}

# The bench holds the log beside pgaudit where the system's packages have it; without it that row is left out.
want_pgaudit() {
  local folder
  for folder in /usr/lib/postgresql/*/lib; do
    [ -e "$folder/pgaudit.so" ] && return
  done
  folder=${folder%/lib}
  ! apt_offers "postgresql-${folder##*/}-pgaudit" 1 || apt_install "The bench compares with pgaudit, which is missing" "postgresql-${folder##*/}-pgaudit" || true
}

# The tests stream the log to a real log server: an instance of their own, with a folder and a port of its own.
has_rsyslog() {
  local driver
  command -v rsyslogd >/dev/null || [ -x /usr/sbin/rsyslogd ] || return 1
  for driver in /usr/lib/*/rsyslog/lmnsd_gtls.so /usr/lib*/rsyslog/lmnsd_gtls.so; do
    [ -e "$driver" ] && return
  done
  return 1
}

need_rsyslog() {
  has_rsyslog && return
  apt_install "The tests stream the log to rsyslog over TLS, which is missing" rsyslog rsyslog-gnutls || true
  has_rsyslog || refuse "rsyslog or its TLS driver gtls is missing, which the tests stream the log to. Install rsyslog and rsyslog-gnutls."
}
