#!/bin/sh
# The database in /var/lib/diemtin stays: nobody loses an archive to a purge.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
