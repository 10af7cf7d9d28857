/* contract.h - what the server of the request fuzzer serves: every type, every kind of relation and rule once. */
#pragma once

static const char REQUEST_CONTRACT[] =
    "extend schema @service(name: \"shop\")\n"
    "enum Status { OPEN CLOSED @value(name: \"closed-2\") }\n"
    "type Geo { lat: Float lon: Float }\n"
    "type Address { city: String! @length(max: 20) geo: Geo tags: [String!] }\n"
    "type Product @resource @access(read: \"true\", write: \"true\") @search(fields: [\"name\", \"note\"])\n"
    "  @unique(fields: [\"category\", \"name\"]) @check(expr: \"stock >= 0 || status == 'CLOSED'\", message: \"stock is below zero\")\n"
    "  @cache(maxAge: 5) {\n"
    "  id: ID!\n  sku: String @unique @pattern(regex: \"^[A-Z0-9-]{1,12}$\")\n  name: String! @length(min: 1, max: 40)\n  note: String\n"
    "  price: Decimal @decimal(precision: 8, scale: 2) @range(min: 0)\n  stock: Int! @default(value: 0)\n  sold: BigInt\n  rate: Float\n"
    "  made: DateTime\n  day: Date\n  code: UUID\n  blob: Bytes\n  mail: Email\n  link: URL\n  active: Boolean\n  status: Status\n"
    "  tags: [String!] @length(max: 5)\n  scores: [Int]\n  extra: JSON\n  address: Address\n  stops: [Address!]\n"
    "  secret: String @hidden\n  owner: String @readonly @default(expr: \"auth.id\")\n  origin: String @immutable\n"
    "  cost: Int @access(read: \"'staff' in auth.roles\", write: \"'staff' in auth.roles\")\n"
    "  category: Category\n  reviews: [Review!]!\n  places: [Place!]!\n}\n"
    "type Category @resource @access(read: \"name != 'hidden'\", create: \"true\", update: \"auth.id != null\", delete: \"'staff' in "
    "auth.roles\") {\n"
    "  code: String! @id\n  name: String!\n  parent: Category @relation(inverse: \"children\", onDelete: SET_NULL)\n"
    "  children: [Category!]!\n  products: [Product!]!\n}\n"
    "type Review @resource @access(read: \"published || author == auth.id\", create: \"auth.id != null\", update: \"old.author == "
    "auth.id\",\n"
    "  delete: \"author == auth.id || product.owner == auth.id\") @index(fields: [\"product\", \"stars desc\"]) {\n"
    "  id: ID!\n  product: Product! @relation(onDelete: CASCADE)\n  author: String @readonly @default(expr: \"auth.id\")\n"
    "  stars: Int! @range(min: 1, max: 5)\n  text: String\n  published: Boolean! @default(value: true)\n"
    "  at: DateTime! @default(expr: \"now()\") @readonly\n}\n"
    "type Place @resource @access(read: \"true\", write: \"true\") {\n"
    "  shelf: Int! @id\n  line: Status! @id\n  product: Product @relation(onDelete: RESTRICT)\n  note: String\n}\n";

/* The keys that rows have, and some that they don't. */
#define PRODUCT_KEY "01890a5d-ac96-774b-bcce-b302099a8001"
#define PRODUCT_KEY_2 "01890a5d-ac96-774b-bcce-b302099a8002"
#define REVIEW_KEY "01890a5d-ac96-774b-bcce-b302099a8011"
#define REVIEW_KEY_2 "01890a5d-ac96-774b-bcce-b302099a8012"
#define NO_KEY "01890a5d-ac96-774b-bcce-b302099a8fff"
