#!/bin/sh
# After an installation nothing runs yet: the address of the site must be set
# first. After an upgrade a service that ran runs again.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if [ "$1" = configure ] && [ -n "$2" ]; then
	systemctl try-restart diemtin.service
	exit 0
fi
echo "diemtin: set site in /etc/diemtin/feeds.yaml, then: diemtin doctor --config /etc/diemtin/feeds.yaml && systemctl enable --now diemtin"
