"""SyncProducts as grpcio speaks it. Usage: sync.py HOST:PORT TOKEN [CA]"""
import faulthandler
import queue
import sys

import grpc
from shop.v1 import shop_pb2 as pb
from shop.v1 import shop_pb2_grpc as services

# Where it waits for ever it says where.
faulthandler.dump_traceback_later(50, exit=True)
address, token, *authority = sys.argv[1:]
if authority:
    with open(authority[0], 'rb') as file:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))
else:
    channel = grpc.insecure_channel(address)

requests = queue.Queue()
stream = services.ProductServiceStub(channel).SyncProducts(iter(requests.get, None), metadata=[('authorization', f'Bearer {token}')], timeout=40)
requests.put(pb.SyncProductsRequest(request_id='w', watch=pb.WatchProductsRequest(filter='id == "python"')))
begun = next(stream)
assert begun.request_id == 'w' and begun.WhichOneof('event') == 'result' and begun.result.position, begun
requests.put(pb.SyncProductsRequest(request_id='1', create=pb.CreateProductRequest(product=pb.Product(id='python', name='n'))))
requests.put(pb.SyncProductsRequest(request_id='2', create=pb.CreateProductRequest(product=pb.Product(id='python', name='n'))))
requests.put(None)
answers = [next(stream) for _ in range(3)]
told = {answer.request_id: answer for answer in answers}
assert told['1'].result.product.name == 'n', answers
assert told['2'].error.code == grpc.StatusCode.ALREADY_EXISTS.value[0], answers
assert told[''].change.kind == pb.WatchProductsResponse.KIND_CREATED, answers
stream.cancel()
try:
    next(stream)
    raise AssertionError('the stream went on')
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.CANCELLED, error
channel.close()
