-- The number of a variant, from 1; 0 = it is none of these. It is found once for each that a column has, not for each
-- row; the cast makes an ordinary number of it, of which nothing is computed that no row has.
-- Parameters: {variants}
CAST(transform(facts.variant, {variants:Array(String)}, arrayEnumerate({variants:Array(String)}), 0), 'UInt8')
