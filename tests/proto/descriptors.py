"""Holds `caisson proto --descriptor` against protoc's own descriptors of `caisson proto`'s text.

Usage: descriptors.py CAISSON CONTRACT
"""
import difflib
import os
import subprocess
import sys
import tempfile

import grpc_tools
from google.protobuf import descriptor_pb2

caisson, contract = sys.argv[1:3]


def printed(*options):
    return subprocess.run([caisson, 'proto', contract, *options], stdout=subprocess.PIPE, check=True).stdout


ours = printed('--descriptor')
name = descriptor_pb2.FileDescriptorSet.FromString(ours).file[-1].name
with tempfile.TemporaryDirectory() as folder:
    os.makedirs(os.path.join(folder, os.path.dirname(name)))
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(printed())
    out = os.path.join(folder, 'set')
    include = os.path.join(os.path.dirname(grpc_tools.__file__), '_proto')
    subprocess.run([sys.executable, '-m', 'grpc_tools.protoc', '-I', folder, '-I', include, '--include_imports', f'--descriptor_set_out={out}', name], check=True)
    with open(out, 'rb') as file:
        theirs = file.read()

if ours != theirs:
    texts = [str(descriptor_pb2.FileDescriptorSet.FromString(data)).split('\n') for data in (ours, theirs)]
    sys.exit('\n'.join(list(difflib.unified_diff(*texts, 'ours', 'protoc', lineterm=''))[:80]) or 'the bytes differ')
print(f'equal: {len(ours)} bytes of {name}')
