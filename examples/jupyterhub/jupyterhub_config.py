"""JupyterHub for trying a course out on one machine: everybody is the same system user and knows one password.

**Not for a course.** For that, keep what is under "The course", and take an authenticator and a spawner that keep
people apart: https://jupyterhub.readthedocs.io/en/stable/reference/authenticators.html and .../spawners.html
"""

import os
import shutil
import sys
from pathlib import Path

c = get_config()  # noqa: F821

HERE = Path(__file__).resolve().parent
PLACE = Path(os.environ.get("LABS_HUB", HERE / "hub")).resolve()
"""Where everything goes that the hub writes, the students' homes included."""
TEACHER = "teacher"
PORT = int(os.environ.get("LABS_HUB_PORT", 8000))
(PLACE / "homes").mkdir(parents=True, exist_ok=True)
(PLACE / "exchange").mkdir(exist_ok=True)
(PLACE / "exchange").chmod(0o777)  # as nbgrader demands of its exchange

# --- For trying out only -------------------------------------------------------------------------------------------
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ.get("LABS_HUB_PASSWORD", "")
if not c.DummyAuthenticator.password:
    sys.exit("Choose the password that everybody types here: LABS_HUB_PASSWORD=... jupyterhub")
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {TEACHER}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(PLACE / "homes" / "{username}")
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"  # this machine alone can reach it
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.JupyterHub.db_url = f"sqlite:///{PLACE / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(PLACE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(PLACE / "proxy.pid")

# The proxy comes from npm: `npm install` in this folder, or one that is on the path.
local = HERE / "node_modules" / ".bin" / "configurable-http-proxy"
proxy = os.environ.get("LABS_HUB_PROXY") or (str(local) if local.exists() else "configurable-http-proxy")
if not shutil.which(proxy):
    sys.exit("The proxy is missing: run `npm install` in this folder.")
c.ConfigurableHTTPProxy.command = [proxy]

# --- The course ----------------------------------------------------------------------------------------------------
c.Spawner.default_url = "/lab"
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
# A login shell would forget where this environment's commands are.
c.Spawner.args = ["--ServerApp.terminado_settings={'shell_command': ['bash']}"]
if os.geteuid() == 0:  # as in a container
    c.Spawner.args.append("--allow-root")
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.Spawner.environment = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    # The configuration of nbgrader that all share stands beside this file.
    "JUPYTER_CONFIG_PATH": str(HERE),
    "LABS_HUB": str(PLACE),
    "LABS_HUB_TEACHER": TEACHER,
}
