#!/bin/sh
# An upgrade restarts the service once the new program is there.
set -e
[ -d /run/systemd/system ] || exit 0
if [ "$1" = remove ]; then
	systemctl disable --now diemtin.service
fi
