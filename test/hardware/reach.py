"""A release command that ends well only if nothing is within reach that is another's, or the machine's."""
import os
import socket
import subprocess
import sys

outside = subprocess.run(["ip", "-o", "-4", "addr", "show", "eth0"], capture_output=True, text=True, check=True)
own = outside.stdout.split()[3].split("/")[0]
networks = [f"10.213.0.{number}" for number in range(1, 32) if f"10.213.0.{number}" != own]
reached = []
for address in [*networks, "10.0.2.15"]:
    for port in (22, 8000, 8080):
        try:
            socket.create_connection((address, port), timeout=1).close()
            reached.append(f"{address}:{port}")
        except OSError:
            pass
other = {"uat": "production", "production": "uat"}[os.environ["SPACE"]]
for path in (f"/srv/app/{other}/releases", f"/run/hearth-redis-{other}", "/var/lib/hearth-app/networks"):
    if os.access(path, os.R_OK):
        reached.append(path)
reached += [f"process {name}" for name in os.listdir("/proc") if name.isdigit() and os.stat(f"/proc/{name}").st_uid != os.getuid()]
print("within reach:", reached)
sys.exit(1 if reached else 0)
