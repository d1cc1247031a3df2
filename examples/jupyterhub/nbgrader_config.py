"""What nbgrader needs to know on this hub, for teacher and students alike."""

import os

c = get_config()  # noqa: F821

COURSE = "labs"
"""The name of the course, and so of the folder that `labs assign --as nbgrader --out labs` writes."""

c.CourseDirectory.course_id = COURSE
c.Exchange.root = os.path.join(os.environ["LABS_HUB"], "exchange")
c.Exchange.cache = os.path.expanduser("~/.nbgrader-cache")

# The simple spawner runs everybody as one system user, whose name nbgrader would put on each submission. Where every
# student has a system user, or a container whose user is called jovyan, leave these three lines out.
user = os.environ.get("JUPYTERHUB_USER", "")
if user and user != os.environ["LABS_HUB_TEACHER"]:
    c.CourseDirectory.student_id = user
c.ExchangeCollect.check_owner = False
