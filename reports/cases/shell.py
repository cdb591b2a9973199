"""The part that every shell file of a case has: POSIX sh, curl, sed and printf, nothing else."""

from __future__ import annotations

HEAD = r"""
set -uf
export LC_ALL=C
usage='usage: sh THIS_FILE [--insecure] URL   (https://HOST[:PORT], http://HOST[:PORT] or unix:///PATH)'
insecure= socket= reply= flat= status= value= made=
case ${1-} in --insecure) insecure=yes; shift ;; esac
url=${1-@URL@}
case $url in
'') printf '%s\n' "$usage" >&2; exit 2 ;;
unix://*) socket=${url#unix://} url=http://localhost ;;
*://*) ;;
localhost* | 127.*) url=http://$url ;;
*) url=https://$url ;;
esac
user=${XENCONFORM_USER:-root}
if [ -z "${XENCONFORM_PASSWORD+set}" ]; then
    printf 'Password of %s: ' "$user" >&2
    stty -echo; IFS= read -r XENCONFORM_PASSWORD; stty echo; printf '\n' >&2
fi

ended() { printf '\n%s\n' "$2"; exit "$1"; }
shows() { ended 1 "The defect shows at step $1. It must be: $2"; }
fine() { ended 0 'The defect does not show.'; }
unsure() { ended 2 "Compare by eye, or run the Python script beside: it must be: $1"; }
stop() { ended 2 "The case cannot be run here: $1"; }

# transmit WIRE BODY: send the body, and keep the reply, as it is and without what may differ in its spelling.
transmit() {
    case $1 in xmlrpc) path=/ kind=text/xml ;; *) path=/jsonrpc kind=application/json ;; esac
    rest=${url#*://}
    case ${rest%/} in */*) path= ;; esac
    reply=$(printf '%s' "$2" | curl -q -sS ${insecure:+--insecure} ${socket:+--unix-socket "$socket"} --max-time 60 \
        -H "Content-Type: $kind" -H 'Expect:' --data-binary @- "${url%/}$path") || stop 'no answer'
    case $1 in
    xmlrpc) flat=$(printf '%s\n' "$reply" | sed -e ':a' -e '$!{' -e 'N' -e 'ba' -e '}' -e 's/>[[:space:]]*</></g' \
        -e 's/<\/\{0,1\}string *\/\{0,1\}>//g' -e 's/<\([a-z]*\) *\/>/<\1><\/\1>/g' \
        -e 's/&quot;/"/g' -e "s/&apos;/'/g" -e 's/&#34;/"/g' -e "s/&#39;/'/g" -e 's/&gt;/>/g') ;;
    *) flat=$(printf '%s\n' "$reply" | sed -e ':a' -e '$!{' -e 'N' -e 'ba' -e '}' \
        -e 's/"[[:space:]]*:[[:space:]]*/":/g' -e 's/\[[[:space:]]*\]/[]/g' \
        -e 's/{[[:space:]]*}/{}/g' -e 's/\\\//\//g') ;;
    esac
    case $flat in
    *'<name>Status</name><value>Success</value>'*) status=success ;;
    *'<name>Status</name><value>Failure</value>'* | *'"error":['* | *'"error":{'*) status=failure ;;
    *'"result":'*) status=success ;;
    *) status=unreadable ;;
    esac
}

# send NUMBER MESSAGE WIRE BODY: send a step's call; print the request and the reply.
send() {
    printf '\n%s. %s over %s\n' "$1" "$2" "$3"
    printf -- '--> %s\n' "$4" | hide
    transmit "$3" "$4"
    printf '<-- %s\n' "$reply" | hide
    [ "$status" != unreadable ] || stop "no readable answer to step $1"
}

# must STATUS NUMBER: go on only if the step ended so.
must() { [ "$status" = "$1" ] || stop "step $2 is a $status here; the steps after it rest on a $1"; }
# has FRAGMENT...: whether the reply has one of them.
has() { for each in "$@"; do case $flat in *"$each"*) return 0 ;; esac; done; return 1; }
# safe WHAT: whether the value is one that a shell can put into another call.
safe() { case $value in '' | *[!A-Za-z0-9:/._-]*) stop "$1 is no text for a shell; run the Python script" ;; esac; }

# take WIRE: take the reply's value, one text; take_uuid WIRE: its uuid, from get_record too.
take() {
    case $1 in
    xmlrpc) value=$(printf '%s\n' "$flat" | sed -n 's/.*<name>Value<\/name><value>\([^<]*\)<.*/\1/p') ;;
    *) value=$(printf '%s\n' "$flat" | sed -n 's/.*"result":"\([^"]*\)".*/\1/p') ;;
    esac
    safe 'a reference'
}
take_uuid() {
    case $1 in
    xmlrpc) value=$(printf '%s\n' "$flat" | sed -n 's/.*<name>uuid<\/name><value>\([^<]*\)<.*/\1/p') ;;
    *) value=$(printf '%s\n' "$flat" | sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p') ;;
    esac
    [ -n "$value" ] || take "$1"
    safe 'a uuid'
}
# take_first WIRE KNOWN: take the first reference of a list that is not known yet.
take_first() {
    case $1 in
    xmlrpc) list=$(printf '%s\n' "$flat" | sed -e 's/.*<name>Value<\/name>//' -e 's/<[^>]*>/ /g') ;;
    *) list=$(printf '%s\n' "$flat" | sed -e 's/.*"result":\[\([^]]*\)\].*/\1/' -e 's/[",]/ /g') ;;
    esac
    value=
    for each in $list; do case " $2 " in *" $each "*) ;; *) value=$each; break ;; esac; done
    safe 'what is listed'
}

# text_call WIRE MESSAGE TEXT...: make the body of a call whose parameters are texts.
text_call() {
    wire=$1 message=$2 list= version=
    shift 2
    case $wire in
    xmlrpc)
        for each in "$@"; do list="$list<param><value><string>$each</string></value></param>"; done
        body="<?xml version='1.0'?><methodCall><methodName>$message</methodName><params>$list</params></methodCall>" ;;
    *)
        for each in "$@"; do list="$list${list:+, }\"$each\""; done
        case $wire in jsonrpc2) version='"jsonrpc": "2.0", ' ;; esac
        body="{$version\"method\": \"$message\", \"params\": [$list], \"id\": 0}" ;;
    esac
}
quoted() {
    case $1 in
    xmlrpc) printf '%s' "$2" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' ;;
    *) printf '%s' "$2" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' ;;
    esac
}
log_in() {
    text_call "$1" session.login_with_password "$(quoted "$1" "$user")" "$(quoted "$1" "$XENCONFORM_PASSWORD")" \
        1.0 xenconform
    transmit "$1" "$body"
    [ "$status" = success ] || stop "cannot log in as $user"
    take "$1"
}
# clean_up: destroy what was made, the newest first, and log out.
clean_up() {
    code=$?
    trap - EXIT
    (
        for pair in $made; do
            undo=${pair%%=*} ref=${pair#*=}
            text_call @WIRE@ "$undo" "$session_0" "$ref"
            transmit @WIRE@ "$body"
            if has SESSION_INVALID; then
                log_in @WIRE@
                session_0=$value
                text_call @WIRE@ "$undo" "$session_0" "$ref"
                transmit @WIRE@ "$body"
            fi
        done
        for session in @SESSIONS@; do
            text_call @WIRE@ session.logout "$session"
            case $session in none) ;; *) transmit @WIRE@ "$body" ;; esac
        done
    ) >/dev/null
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
"""
"""@URL@ is the default address, @WIRE@ the format of the first step, @SESSIONS@ the variables of the sessions."""
