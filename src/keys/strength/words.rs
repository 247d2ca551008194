//! The words of descriptions and sentences.

use std::collections::HashSet;
use std::sync::LazyLock;

type Words = LazyLock<HashSet<&'static [u8]>>;

static DESCRIBING: Words = LazyLock::new(|| set(&[ENGLISH, OTHERS]));
static LONGEST: LazyLock<usize> =
    LazyLock::new(|| DESCRIBING.iter().map(|word| word.len()).max().unwrap_or_default());
static JOINING_SET: Words = LazyLock::new(|| set(&[JOINING]));
static PAIR_SET: Words = LazyLock::new(|| set(&[PAIRS]));

fn set(lists: &[&'static str]) -> HashSet<&'static [u8]> {
    lists.iter().flat_map(|list| list.split_ascii_whitespace()).map(str::as_bytes).collect()
}

/// The lengths of all describing words with which a lower-case text begins.
pub(super) fn describing_at(lower: &[u8]) -> impl Iterator<Item = usize> {
    (2..=*LONGEST)
        .filter(|length| lower.get(..*length).is_some_and(|word| DESCRIBING.contains(word)))
}

/// Whether this is a function word.
pub(super) fn is_joining(lower: &[u8]) -> bool {
    JOINING_SET.contains(lower)
}

/// Whether the second of two letters often follows the first.
pub(super) fn is_likely_pair(lower: &[u8]) -> bool {
    PAIR_SET.contains(lower)
}

/// English words that describe secrets. Two-letter words are matched only as whole words; longer
/// ones are also found inside other words.
const ENGLISH: &str = "\
    secret secrets key keys jwt token tokens json web bearer your yours my our mine its super top \
    mega ultra very really quite truly highly this that these those which with without from into \
    and or but not never ever always only just some any other another here there where when then \
    than the for are was has have had will would shall should must may might can could cannot dont \
    doesnt isnt wont change changed changes changeme changethis replace replaced replaceme update \
    updated edit set use used using put enter insert write fill add paste type choose pick create \
    created make made generate generated generator provide define keep kept store save saved read \
    load remember forget please production prod develop developer development dev staging stage \
    test tests tested testing debug local localhost sandbox example examples sample demo default \
    defaults placeholder dummy fake mock temp temporary todo fixme tbd insecure unsafe unsecure \
    secure secured security safe safely strong stronger weak long longer longest short least less \
    more most enough minimum min maximum max character characters char chars letter letters length \
    size bit bits byte bytes digit digits number numbers random randomly value values string text \
    phrase word words name field variable env dotenv environment config configuration setting \
    settings option private public shared share symmetric signing sign signed signature signer \
    verify verifying verification encryption encrypt encrypted decrypt encode encoded decode base64 \
    base64url base hex hash hashed hashing hmac hs256 hs384 hs512 sha256 sha512 sha sha1 sha2 rsa \
    algorithm crypto cryptographic cryptographically entropy salt pepper nonce pass passwd password \
    passwords passphrase auth authn authz authenticate authentication authorization authorize oauth \
    oauth2 oidc login logout account access refresh session sessions cookie cookies csrf api apis \
    app apps application applications server servers service services client backend back end \
    frontend front web website site page project company organization org team corp domain host \
    admin administrator root user users username guest owner master main global system internal \
    first second third one two three four five six seven eight nine ten zero sixty thirty hundred \
    outside inside source code commit committed git github gitlab repository repo docker compose \
    kubernetes container image cloud aws azure gcp heroku vercel netlify supabase firebase hasura \
    postgres postgrest mysql redis mongo database graphql rest laravel symfony django flask fastapi \
    python rails ruby express node nodejs nest nestjs next nextjs nextauth react angular vue svelte \
    spring boot springboot java kotlin dotnet aspnet golang rust rocket actix axum strapi keycloak \
    mercure hub bezkoder traefik gitea grafana airflow superset minio openssl rand uuid hello world \
    foo bar baz qux lorem ipsum dolor sit amet consectetur adipiscing elit quick brown fox jumps \
    jumped over lazy dog abc xyz abcd qwerty qwertz azerty qwertyuiop asdfghjkl zxcvbnm asdf zxcv \
    let letmein welcome iloveyou monkey dragon trustno hunter correct horse battery staple super \
    instead complex complexity simple easy hard guess guessed guessable brute force attack hacker \
    hackers compromised leak leaked know known nobody everybody someone anyone else share sharing \
    important note warning caution attention required require requires needed need needs want \
    valid invalid expire expires expired expiration issuer audience subject claim claims life time \
    data info information thing things stuff something anything whatever blah yes now today year \
    good great best better new old real own kept like such unique same different special symbols \
    least32 deploy deployed deploying generation qaz wsx edc \
    rfv tgb yhn ujm zaq xsw cde vfr bgt nhy mju before after above below itself yourself credential credentials \
    customer certificate in to of is it be as at by on do me we us an if so \
    no up go ok id db ci cd ui vm pk sk";

/// Such words of other languages, without accents, of four letters or more.
const OTHERS: &str = "\
    bitte aendern andern aendere ersetzen ersetze geheim geheime geheimer geheimes geheimnis schluessel \
    schlussel passwort kennwort losung produktion produktiv entwicklung sicher sichere sicherer \
    sicherheit unsicher niemals hier eingeben einsetzen eintragen beispiel zufaellig zufallig zeichen \
    mindestens lang langer langes laenge wert unbedingt lokal anwendung nicht verwenden benutzen \
    signatur unterschrift meine dein deine unser unsere eigener eigenes anmeldung benutzer \
    cambiar cambia cambie cambiame cambialo clave claves llave llaves secreta secreto secretas secretos \
    contrasena contrasenya produccion desarrollo prueba pruebas ejemplo favor esta este aqui segura \
    seguro seguridad aleatoria aleatorio cadena texto larga largo caracteres minimo firma firmar \
    aplicacion servidor reemplazar reemplaza reemplace nunca usar usuario super muy cuenta \
    changez changer changeme modifier modifiez remplacer remplacez remplace cette votre mettre mettez \
    secrete secret clef cles motdepasse passe production developpement exemple plait merci aleatoire \
    chaine longue long caracteres moins signature signer securite securise securisee jeton jetons \
    jamais utiliser utilisateur serveur applicati \
    cambiare cambiami cambiala chiave chiavi segreta segreto segreti sviluppo prova esempio \
    favore questa questo questi casuale stringa lunga lungo caratteri almeno firma sicura sicuro \
    sicurezza sostituire sostituisci inserire inserisci produzione applicazione utente mai \
    altere alterar alterame mude mudar trocar troque chave chaves segredo segredos senha senhas \
    producao desenvolvimento teste exemplo aleatorio segura seguranca substitua substituir minha meu \
    sua assinatura assinar aplicacao servidor usuario obrigado \
    verander wijzig wijzigen vervang vervangen geheim geheime sleutel sleutels wachtwoord productie \
    ontwikkeling voorbeeld alstublieft alsjeblieft willekeurig willekeurige tekens lange minimaal \
    veilig veilige handtekening gebruiker nooit deze jouw mijn \
    andra byta ersatt hemlig hemliga hemlighet nyckel nycklar losenord produktion utveckling exempel \
    slumpmassig saker sakerhet detta denna tecken minst langd hemmelig hemmelige hemmelighed \
    hemmelighet nogle nokkel nokler adgangskode passord produktionen produksjon utvikling udvikling \
    eksempel tilfaeldig tilfeldig sikker sikkerhed sikkerhet venligst vennligst endre skift bytt \
    vaihda salainen avain salasana tuotanto kehitys esimerkki turvallinen \
    zmien zmienic zmiana tajny tajna tajne tajemnica sekret sekretny sekretna klucz klucza kluczy haslo \
    hasla produkcja produkcji produkcyjny produkcyjna przyklad przykladowy przykladowe losowy losowe \
    losowa bezpieczny bezpieczne prosze znaki znakow dlugi dlugie uzytkownik serwer podpis \
    zmente zmenit tajny tajne klic klice heslo produkce vyvoj priklad bezpecny nahodny prosim \
    degistir degistirin degistiriniz gizli anahtar anahtari sifre parola uretim gelistirme ornek \
    rastgele guvenli lutfen karakter imza kullanici sunucu \
    izmenite izmeni zamenite smenite sekretnyj sekretnyi sekretny klyuch kluch parol proizvodstvo \
    prodakshn razrabotka primer sluchajnyj pozhalujsta pozhaluysta tayna stroka bezopasnost";

/// Function words. They are matched only as whole words; a text with many of them is a sentence.
const JOINING: &str = "\
    a an the of and or but to in on at by for from with without as is are was were be been am it its \
    i me my we us our you your he him his she her they them their this that these those there here \
    what which who how when where why not no nor so if then than do does did has have had will would \
    shall can could may might must up down out into over under about all one some any every upon oh \
    der die das den dem des ein eine einen einem einer und oder ist sind war im am zu zum zur mit von \
    vom auf fur fuer nicht kein keine ich du er sie es wir ihr mein sein wie wo wer was dass wenn als \
    aus bei nach uber so nur noch auch bis vor hat \
    el la los las un una unos de del y o en con por para que es son no se su tu mi lo le les al como \
    mas pero esta este esto ese esa muy si sin sobre cuando donde \
    le les une du et ou dans sur pour par avec sans est sont ce cet cette ces qui que quoi ne pas je \
    tu il elle nous vous ils mon ma mes ton ta tes son sa ses votre notre leur au aux plus comme \
    il lo gli di da del della dei delle e ed che non per con su tra fra sono sei mio mia tuo tua suo \
    sua nel nella al alla come piu ma anche questo questa \
    o os as um uma do dos da das no na nos nas ao em com por para que nao se eu ele ela meu minha seu \
    sua mais como mas este esta isto \
    het een en van ik je hij zij wij niet met voor aan op te bij naar dat die dit deze zijn mijn uw \
    jouw als om ook maar of door over er hier moet \
    och att det som den ett av jag inte med til till pa har de vi han hon kan ska skal og ikke jeg \
    er et af fra men om eller vara var din ditt \
    ja on ei se oli i w z na do nie to jest sie ze za od po dla jak twoj moj ten ta tego tej \
    ve ile icin bu bir da de ki ne mi ben sen bizim lutfen \
    ne v s k eto kak dlya etot etu vash moy";

/// Letter pairs that make up three quarters of the text in European languages, and a quarter of
/// random letters.
const PAIRS: &str = "\
    th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me \
    de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot \
    il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai \
    sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag \
    if ap gr od bo sp rd do uc bu ei ov by rm ep tt ue au az ze ku ck za cz ij ou sz ja";
