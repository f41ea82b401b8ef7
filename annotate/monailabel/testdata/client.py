"""Drives a server by MONAI Label's own Python client in the order in which the 3D Slicer extension does, with one client object, whose
headers go stale, and prints one line a step.

    python3 -m venv venv && venv/bin/pip install requests && venv/bin/pip install --no-deps monailabel==0.8.5
    venv/bin/python client.py [--masks DIR] http://127.0.0.1:8000 [NAME TOKEN]

Give it a project of its own: it draws the masks of DIR, NAME.nii.gz of the image NAME, and without --masks nonsense.
"""

import argparse
import gzip
import hashlib
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote_plus

try:
    from monailabel.client import MONAILabelClient
    from monailabel.client.client import MONAILabelClientException
except ModuleNotFoundError as fault:
    if fault.name == "cgi":  # which Python 3.13 has removed
        sys.exit(f"MONAI Label's client needs a Python before 3.13 (it imports cgi), such as the one in 3D Slicer; this is {sys.version.split()[0]}")
    sys.exit(f"{fault}: install MONAI Label's client as {Path(__file__).name} says at its top")

parser = argparse.ArgumentParser()
parser.add_argument("--masks")
parser.add_argument("server")
parser.add_argument("account", nargs="*")
args = parser.parse_args()
server, account = args.server, args.account
folder = tempfile.mkdtemp()
client = MONAILabelClient(server, tmpdir=folder, client_id="user-xyz")


def voxels(path):
    """The voxels of a NIfTI file of bytes, and its header."""
    data = gzip.decompress(Path(path).read_bytes())
    assert data[:4] == b"\x5c\x01\x00\x00" and data[70:72] == b"\x02\x00", "no NIfTI-1 file of uint8"
    return data[:352], bytearray(data[352:])


def refused(what, call):
    try:
        call()
    except MONAILabelClientException as e:
        print(f"{what}: refused: {e.msg}".replace("\\n", "").replace("\n", ""))
    else:
        sys.exit(f"{what}: not refused")


print("auth:", client.auth_enabled())
if account:
    refused("info without a token", client.info)
    client.update_auth(client.auth_token(*account))
    print("token valid:", client.auth_valid_token())
info = client.info()
print("info:", info["labels"], list(info["strategies"]), list(info["models"]), list(info["trainers"]), info["datastore"])
print("training:", client.train_status(check_if_running=True))
strategy, labels = next(iter(info["strategies"])), info["labels"]
submitted = 0
drawn = Path(folder, "label.nii.gz")
drawn.write_bytes(b"")
while "unet" not in client.info()["models"]:
    sample = client.next_sample(strategy, {"slices": "those asked for"})
    if not sample and client.train_status(check_if_running=True):
        time.sleep(0.3)
        continue
    if not sample:
        sys.exit("nothing is left, and there is no model")
    image, _ = urllib.request.urlretrieve(f"{server}/datastore/image?image={quote_plus(sample['id'])}")
    digest = hashlib.sha256(Path(image).read_bytes()).hexdigest()
    assert sample["checksum"] == "SHA256:" + digest, "checksum"
    objects = client.datastore()["objects"]
    names = list(objects[sample["id"]]["labels"]["original"]["info"]["params"]["label_names"])
    head, mask = voxels(client.download_label(sample["id"], "original"))
    frame = names.index("asked_slices") + 1
    assert frame in mask, "no slice is framed"
    if args.masks:
        for i, value in enumerate(voxels(Path(args.masks, sample["id"] + ".nii.gz"))[1]):
            if value:
                mask[i] = value
    else:
        for i in range(0, len(mask), 7):
            if mask[i] == 0:
                mask[i] = 1
    drawn.write_bytes(gzip.compress(head + bytes(mask)))
    params = {"label_info": [{"name": n, "idx": i + 1} for i, n in enumerate(names)], "model": ""}
    answer = client.save_label(sample["id"], str(drawn), params=params)
    assert answer["slices"] == sample["queued_slices"], (answer, sample)
    if submitted == 0:
        print("sample:", sample["description"])
        print("submitted:", answer["description"])
        head, final = voxels(client.download_label(sample["id"], "final"))
        assert len(final) == len(mask) and frame not in final and 1 in final
        refused("submitted again", lambda: client.save_label(sample["id"], str(drawn), params=params))
    submitted += 1
    time.sleep(0.3)
print("samples until the first model:", submitted > 0)
while client.train_status(check_if_running=True):
    time.sleep(0.1)
print("trained:", client.train_status()["status"])
images = [name for name in client.datastore()["objects"]]
for name in images:
    try:
        path, answer = client.infer("unet", name, {"result_extension": ".nii.gz", "result_dtype": "uint8"})
    except MONAILabelClientException as e:
        print("segmented:", e.msg.replace("\n", ""))
        continue
    head, mask = voxels(path)
    assert set(mask) <= set(range(len(labels) + 1))
    print("segmented:", Path(path).name, answer["label_names"], len(mask), "voxels")
refused("another model", lambda: client.train_start("deepedit", {}))
refused("an unknown image", lambda: client.save_label("nobody", str(drawn)))
refused("an upload", lambda: client.upload_image(str(drawn), "new"))
refused("a session", lambda: client.create_session(str(drawn)))
print("stopped:", client.train_stop()["details"][-1] != "")
print("still:", client.info()["name"] == info["name"])
