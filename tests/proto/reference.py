"""Holds the codec (through proto_tool) against Python's protobuf, over random messages of a contract.

Usage: reference.py TOOL CONTRACT DESCRIPTOR-SET COUNT SEED
"""
import base64
import decimal
import json
import math
import random
import string
import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

tool_path, contract_path, set_path, count, seed = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
rng = random.Random(seed)

files = descriptor_pb2.FileDescriptorSet.FromString(open(set_path, 'rb').read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file) if hasattr(pool, 'Add') else pool.AddSerializedFile(file.SerializeToString())
own = files.file[-1]
types = {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f'{own.package}.{name}')) for name in (m.name for m in own.message_type)}

tool = subprocess.Popen([tool_path, contract_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(*words):
    tool.stdin.write(' '.join(words) + '\n')
    tool.stdin.flush()
    answer = tool.stdout.readline()
    assert answer[:2] in ('= ', '! '), f'{words[:2]}: {answer!r}'
    return bytes.fromhex(answer[2:].strip()) if answer[0] == '=' else None


failures = {}


def check(what, got, expected, *context):
    if got == expected:
        return
    failures[what] = failures.get(what, 0) + 1
    if failures[what] <= 5:
        print(f'{what}: got {got!r}\n  expected {expected!r}\n  of {context!r}', file=sys.stderr)


# ---- random values ----

def text(longest=12):
    letters = string.ascii_letters + string.digits + ' "\\/\n\t<>&\u007f\u00e9\u4e16\U0001f30d\ufeff'
    return ''.join(rng.choice(letters) for _ in range(rng.randrange(longest)))


def map_key():
    # None begins another: in what order the reference writes such is its own affair.
    return ''.join(rng.choice(string.ascii_letters + '\u00e9\u4e16\U0001f30d') for _ in range(4))


def integer(bits):
    span = 1 << (bits - 1)
    return rng.choice([0, 1, -1, span - 1, -span, rng.randrange(-span, span), rng.randrange(-300, 300)])


def double(is_finite=False):
    special = [0.0, -0.0, 1.0, -1.5, 1e300, 5e-324, 0.1, 123456789.125, rng.uniform(-1e6, 1e6)]
    return rng.choice(special if is_finite else special + [math.inf, -math.inf, math.nan])


def fill_value(value, depth):
    kind = rng.randrange(6 if depth < 3 else 4)
    if kind == 0:
        value.null_value = 0
    elif kind == 1:
        value.number_value = double(is_finite=True)
    elif kind == 2:
        value.string_value = text()
    elif kind == 3:
        value.bool_value = rng.random() < 0.5
    elif kind == 4:
        value.list_value.SetInParent()
        for _ in range(rng.randrange(4)):
            fill_value(value.list_value.values.add(), depth + 1)
    else:
        value.struct_value.SetInParent()
        for _ in range(rng.randrange(4)):
            fill_value(value.struct_value.fields[map_key()], depth + 1)


def fill_well_known(message, depth):
    name = message.DESCRIPTOR.full_name
    if name == 'google.protobuf.Timestamp':
        message.seconds = rng.choice([0, -62135596800, 253402300799, rng.randrange(-62135596800, 253402300800)])
        message.nanos = rng.choice([0, 1, 999999999, 120000000, 1000, rng.randrange(1000000000)])
    elif name == 'google.protobuf.FieldMask':
        message.paths.extend(rng.choice(['name', 'created_at', 'category.name', 'a.b_c.d', '*']) for _ in range(rng.randrange(4)))
    elif name == 'google.protobuf.Value':
        fill_value(message, depth)
    else:
        return False
    return True


def scalar(field):
    if field.type == Field.TYPE_INT32:
        return integer(32)
    if field.type == Field.TYPE_INT64:
        return integer(64)
    if field.type == Field.TYPE_DOUBLE:
        return double()
    if field.type == Field.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == Field.TYPE_STRING:
        return text(200 if rng.random() < 0.05 else 12)
    if field.type == Field.TYPE_BYTES:
        return rng.randbytes(rng.randrange(20))
    return rng.choice([value.number for value in field.enum_type.values] + [99, -5])


def is_repeated(field):
    return field.is_repeated if hasattr(field, 'is_repeated') else field.label == Field.LABEL_REPEATED


def fill(message, depth=0):
    if fill_well_known(message, depth):
        return message
    for field in message.DESCRIPTOR.fields:
        if rng.random() < (0.5 if depth < 2 else 0.85):
            continue
        if field.message_type and field.message_type.GetOptions().map_entry:
            for _ in range(rng.randrange(4)):
                fill(getattr(message, field.name)[map_key()], depth + 1)
        elif is_repeated(field):
            for _ in range(rng.randrange(4)):
                if field.message_type:
                    fill(getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(scalar(field))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, scalar(field))
    return message


# ---- the wire ----

def canonical(message):
    message.DiscardUnknownFields()
    return message.SerializeToString(deterministic=True)


def parse(cls, data):
    try:
        return canonical(cls.FromString(data))
    except Exception:
        return None


def has_map(cls, data):
    try:
        message = cls.FromString(data)
    except Exception:
        return False

    def walk(part):
        for field, value in part.ListFields():
            if field.message_type and field.message_type.GetOptions().map_entry:
                return True
            if field.message_type and any(walk(one) for one in (value if is_repeated(field) else [value])):
                return True
        return False
    return walk(message)


def check_wire(name, cls):
    first, second = fill(cls()), fill(cls())
    data = first.SerializeToString(deterministic=True)
    check('wire', ask('wire', f'{own.package}.{name}', data.hex()), data, name)
    # What is concatenated is merged.
    both = data + second.SerializeToString(deterministic=True)
    check('merge', ask('wire', f'{own.package}.{name}', both.hex()), parse(cls, both), name, both.hex())
    if data:
        damaged = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(damaged))
            if rng.random() < 0.3:
                del damaged[at:at + rng.randrange(1, 5)]
                if not damaged:
                    return
            else:
                damaged[at] = rng.randrange(256)
        damaged = bytes(damaged)
        if has_map(cls, damaged):
            return  # what a damaged entry of a map is worth, implementations see differently
        check('damaged', ask('wire', f'{own.package}.{name}', damaged.hex()), parse(cls, damaged), name, damaged.hex())


# ---- ProtoJSON ----

def plain(value):
    if isinstance(value, float):
        return 'NaN' if math.isnan(value) else (0.0 if value == 0 else value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def check_json(name, cls):
    message = fill(cls())
    data = message.SerializeToString(deterministic=True)
    try:
        expected = json_format.MessageToJson(message, indent=None)
    except Exception:
        expected = None
    ours = ask('json', f'{own.package}.{name}', data.hex())
    check('json', None if ours is None else plain(json.loads(ours)), None if expected is None else plain(json.loads(expected)), name, data.hex())
    if expected is None:
        return
    for spelled in (expected, json_format.MessageToJson(message, indent=None, preserving_proto_field_name=True, use_integers_for_enums=True)):
        answer = ask('unjson', f'{own.package}.{name}', spelled.encode().hex())
        check('unjson', answer, json_format.Parse(spelled, cls()).SerializeToString(deterministic=True), name, spelled)


def has_null_list(value):
    if isinstance(value, dict):
        return value.get('anys', 0) is None or any(has_null_list(item) for item in value.values())
    return isinstance(value, list) and any(has_null_list(item) for item in value)


def is_lax_scalar(value, field):
    if isinstance(value, bool):
        return field.type != Field.TYPE_BOOL
    if field.type == Field.TYPE_ENUM:
        return isinstance(value, float) and value % 1 != 0 or isinstance(value, str) and value not in field.enum_type.values_by_name
    if field.type == Field.TYPE_BYTES and isinstance(value, str):
        bare = value.rstrip('=').replace('-', '+').replace('_', '/')
        padded = bare + '=' * (-len(bare) % 4)
        try:
            return base64.b64encode(base64.b64decode(padded, validate=True)).decode() != padded or '=' in value and len(value) % 4 != 0
        except ValueError:
            return True
    return isinstance(value, str) and field.type != Field.TYPE_STRING and value.strip() != value


def is_lax(value, descriptor):
    """What Python lets through and the mapping does not: an empty list or string for a message, true for a number and the like."""
    if not isinstance(value, dict):
        return True
    for key, item in value.items():
        field = next(f for f in descriptor.fields if key in (f.name, f.json_name))
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        inner = field.message_type.fields_by_name['value'] if is_map else field
        items = list(item.values()) if is_map and isinstance(item, dict) else item if isinstance(item, list) else [item]
        if field.message_type and item in ([], '') and not is_repeated(field) and field.message_type.file.package == own.package:
            return True
        for one in items:
            if one is None:
                continue
            if inner.message_type and inner.message_type.file.package == own.package:
                if is_lax(one, inner.message_type):
                    return True
            elif not inner.message_type and is_lax_scalar(one, inner):
                return True
    return False


def mutate(value):
    """Something of another type, or of another form, in some place."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.9:
            return {**value, key: mutate(value[key])}
        return {**{k: v for k, v in value.items() if k != key}, 'x' + key[1:]: value[key]}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return value[:at] + [mutate(value[at])] + value[at + 1:]
    return rng.choice([None, True, 0, -1, 1.0, 1.5, 2147483648, 9223372036854775808, '1', '1.0', '1.5', '', ' 1', 'x', 'NaN', 'Infinity', [], {}, [None],
                       {'a': None}, 'AQ==', 'AQ', '-_8', '+/8=', 'A', 'AQ=', '1972-01-01T10:00:20.021Z', '1972-01-01T10:00:20-08:00', '1972-01-01t10:00:20Z',
                       '1972-01-01T10:00:20', '10000-01-01T00:00:00Z', '0001-01-01T00:00:00Z', 'a,bC', 'a_b', 'KIND_OTHER', 'MOOD_CALM', 'calm', 3])


def check_mutated_json(name, cls):
    try:
        value = mutate(json_format.MessageToDict(fill(cls())))
    except Exception:
        return
    spelled = json.dumps(value)
    try:
        expected = json_format.Parse(spelled, cls()).SerializeToString(deterministic=True)
    except Exception:
        expected = None
    if has_null_list(value):
        return  # null for a list of google.protobuf.Value: Python refuses it, the mapping takes it for an empty one
    if expected is not None and is_lax(value, cls.DESCRIPTOR):
        expected = None
    ours = ask('unjson', f'{own.package}.{name}', spelled.encode().hex())
    check('mutated', ours, expected, name, spelled)


# ---- rows ----

def row_value(field):
    """A value in JSON's form (INTERFACE §2), and the same as ProtoJSON has it."""
    name, kind = field.name, field.type
    if kind == Field.TYPE_ENUM:
        value = rng.choice(field.enum_type.values[1:]).name
        return {v: k for k, v in ENUM_NAMES.items()}[value], value
    if kind == Field.TYPE_MESSAGE:
        full = field.message_type.full_name
        if full == 'google.protobuf.Timestamp':
            value = f'{rng.randrange(1, 9999):04}-0{rng.randrange(1, 10)}-{rng.randrange(10, 29)}T12:34:56{rng.choice(["", ".5", ".000001"])}Z'
            return value, value
        if full == 'google.protobuf.Value':
            value = rng.choice([1, 'x', True, [1, None, {'a': 'b'}], {'k': [1.5], 'n': None}, {}, []])
            return value, value
        return row_object(field.message_type)
    if kind == Field.TYPE_BYTES:
        value = base64.b64encode(rng.randbytes(rng.randrange(9))).decode()
        return value, value
    if kind == Field.TYPE_INT64:
        value = str(integer(64))
        return value, value
    if kind != Field.TYPE_STRING:
        value = {Field.TYPE_INT32: lambda: integer(32), Field.TYPE_DOUBLE: lambda: double(is_finite=True), Field.TYPE_BOOL: lambda: rng.random() < 0.5}[kind]()
        return value, 0.0 if kind == Field.TYPE_DOUBLE and value == 0 else value  # a row's zero has no sign
    if name in ('price', 'price_or_null', 'weights'):
        value = decimal.Decimal(rng.randrange(-10 ** 9, 10 ** 9)).scaleb(-rng.randrange(4))
        return str(value), decimal_text(value, 3 if name == 'price' else None)
    value = {'day': '2026-11-23', 'days': '0001-01-01', 'token': '01890a5d-ac96-774b-bcce-b302099a8057', 'mail': 'ada@example.org', 'page': 'https://example.org/x'}.get(name, text())
    return value, value


def decimal_text(value, scale):
    if scale is not None:
        return f'{value:.{scale}f}'.replace('-0.000', '0.000') if value == 0 else f'{value:.{scale}f}'
    shown = f'{value.normalize():f}'
    return '0' if value == 0 else shown


def row_object(descriptor):
    given, expected = {}, {}
    is_row = 'created' in descriptor.name or descriptor.name == 'Thing'
    for field in descriptor.fields:
        relation = is_row and field.name in ('owner', 'secret')
        optional = field.has_presence and not (field.message_type and not field.containing_oneof)
        if relation or (optional and rng.random() < 0.4):
            continue
        if is_repeated(field):
            items = [row_value(field) for _ in range(rng.randrange(4))]
            value = [a for a, _ in items], [b for _, b in items]
        else:
            value = row_value(field)
        # The one name of which ProtoJSON's is not the contract's.
        given['_odd' if field.json_name == 'odd' else field.json_name], expected[field.json_name] = value
    return given, expected


ENUM_NAMES = {'calm': 'MOOD_CALM', 'VERY_ANGRY': 'MOOD_VERY_ANGRY', 'HTTPError': 'MOOD_HTTP_ERROR', 'SAD2': 'MOOD_SAD2'}


def check_row():
    cls = types['Thing']
    given, expected = row_object(cls.DESCRIPTOR)
    given['id'] = expected['id'] = 'x'
    message = json_format.ParseDict(expected, cls())
    # A default of an embedded type is filled in where nothing was given.
    for shape in [message.shape] * message.HasField('shape') + list(message.shapes):
        for point in list(shape.points) + [shape.centre] * shape.HasField('centre'):
            if not point.HasField('label'):
                point.label = 'here'
    answer = ask('row', 'Thing', json.dumps(given).encode().hex())
    check('row', answer, canonical(message), given, None if answer is None else cls.FromString(answer), message)


names = list(types)
for turn in range(count):
    name = names[turn % len(names)] if rng.random() < 0.5 else rng.choice(['Thing', 'Shape', 'AggregateThingsResponse', 'ListThingsResponse', 'UpdateThingRequest'])
    check_wire(name, types[name])
    check_json(name, types[name])
    check_mutated_json(name, types[name])
    check_row()

tool.stdin.close()
status = tool.wait(timeout=30)
if failures or status:
    sys.exit(f'{failures} are the differences in {count} turns (seed {seed}); the tool ended with {status}')
print(f'{count} turns, no difference')
